"""Trains and packages the models that StreamEngine scores.

A model's folder is models/<name>/<version>/ with model.onnx, model.json (what the engine checks at load) and golden.json
(rows and the training library's own outputs, for the engine's tests). Needs numpy, onnx and scikit-learn as Debian 12
packages them: python3-numpy, python3-onnx, python3-sklearn, with Debian's own /usr/bin/python3.
"""
