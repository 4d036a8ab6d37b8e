"""Writes a model's folder: model.onnx, model.json, golden.json."""

import hashlib
import json
import math
import os

import numpy as np


def write(folder, onnx_bytes, kind, inputs, outputs, metrics=None, training_window=None, golden=None, more=None):
    """Writes models/<name>/<version>/; the folder's own names are the model's name and version.

    golden: (rows, outputs of the training library, tolerance) or None.
    more: further members of model.json (output, columns, categories, example).
    """
    folder = os.path.abspath(folder)
    os.makedirs(folder, exist_ok=True)
    manifest = {
        "name": os.path.basename(os.path.dirname(folder)),
        "version": os.path.basename(folder),
        "kind": kind,
        "inputs": list(inputs),
        "outputs": list(outputs),
        **(more or {}),
        "sha256": hashlib.sha256(onnx_bytes).hexdigest(),
        "metrics": {name: round(value, 6) for name, value in (metrics or {}).items() if math.isfinite(value)},
    }
    if training_window:
        manifest["training_window"] = list(training_window)
    with open(os.path.join(folder, "model.onnx"), "wb") as file:
        file.write(onnx_bytes)
    with open(os.path.join(folder, "model.json"), "w", encoding="utf-8") as file:
        file.write(json.dumps(manifest, indent=2) + "\n")
    if golden:
        write_golden(os.path.join(folder, "golden.json"), *golden)
    return manifest


def write_golden(path, rows, outputs, tolerance):
    """One row a line: the inputs as float32, unless they are a list of rows of plain numbers (null for NaN), and the expected outputs,
    to 12 places: what a CPU rounds otherwise."""
    lines = [
        json.dumps({"inputs": [_number(value) for value in row], "outputs": [round(float(value), 12) for value in expected]})
        for row, expected in zip(rows if isinstance(rows, list) else np.asarray(rows, dtype=np.float32), outputs)]
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"tolerance": %r, "rows": [\n%s\n]}\n' % (tolerance, ",\n".join(lines)))


def _number(value):
    """The shortest decimal that reads back as the same number, float32 or double."""
    return None if np.isnan(value) else float(str(value))
