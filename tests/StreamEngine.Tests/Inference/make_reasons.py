#!/usr/bin/python3
"""Writes a model with the covers of its training, and XGBoost's own contributions: models/covers/1/ beside this script.

XGBoost's pred_contribs is path-dependent TreeSHAP by the authors of the method: an implementation that is not ours. The graph has what
onnxmltools' converter writes, with the cover of each node as its hitrate.
"""

import json
import os
import sys

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
import xgboost  # noqa: E402
from onnx import helper  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../../models"))
from streamengine_models import graphs, package  # noqa: E402

COLUMNS = 5


def export(booster, base):
    """The bytes of the model: input 'features', output 'probability'."""
    names = ("nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_values", "nodes_modes", "nodes_truenodeids",
             "nodes_falsenodeids", "nodes_missing_value_tracks_true", "nodes_hitrates", "target_treeids", "target_nodeids", "target_ids",
             "target_weights")
    attributes = {name: [] for name in names}

    def add(tree, node):
        leaf = "leaf" in node
        row = (tree, node["nodeid"], 0 if leaf else int(node["split"][1:]), 0.0 if leaf else float(np.float32(node["split_condition"])),
               "LEAF" if leaf else "BRANCH_LT", 0 if leaf else node["yes"], 0 if leaf else node["no"],
               0 if leaf else int(node["missing"] == node["yes"]), float(node["cover"]))
        for name, value in zip(names, row):
            attributes[name].append(value)
        if leaf:
            for name, value in zip(names[9:], (tree, node["nodeid"], 0, float(node["leaf"]))):
                attributes[name].append(value)
        for child in node.get("children", []):
            add(tree, child)

    for tree, text in enumerate(booster.get_dump(with_stats=True, dump_format="json")):
        add(tree, json.loads(text))
    nodes = [
        helper.make_node(
            "TreeEnsembleRegressor", ["features"], ["raw"], domain="ai.onnx.ml", n_targets=1, base_values=[base], **attributes),
        helper.make_node("Sigmoid", ["raw"], ["probability"])]
    return graphs.serialize(nodes, ("features", COLUMNS), ("probability", 1))


def main():
    random = np.random.RandomState(12)
    data = np.round(random.gamma(1.5, 4, (800, COLUMNS)), 2).astype(np.float32)
    data[random.rand(*data.shape) < 0.1] = np.nan
    drive = np.nan_to_num(data[:, 0]) - 0.6 * np.nan_to_num(data[:, 1]) + 0.1 * np.nan_to_num(data[:, 2]) * np.nan_to_num(data[:, 3])
    booster = xgboost.train(
        {"objective": "binary:logistic", "max_depth": 4, "eta": 0.2, "nthread": 1, "seed": 3, "base_score": 0.3},
        xgboost.DMatrix(data, (drive + random.normal(0, 2, 800) > 2).astype(int)), 20)
    rows = np.vstack([data[:40], np.full((1, COLUMNS), np.nan, dtype=np.float32)])
    folder = os.path.join(HERE, "models/covers/1")
    scores = booster.predict(xgboost.DMatrix(rows))[:, None]
    package.write(folder, export(booster, float(np.log(0.3 / 0.7))), "trees", [f"f{i}" for i in range(COLUMNS)], ["probability"],
                  {}, None, (rows, scores, 1e-6))
    contributions = booster.predict(xgboost.DMatrix(rows), pred_contribs=True)
    with open(os.path.join(folder, "contributions.json"), "w", encoding="utf-8") as file:
        file.write(json.dumps([[float(value) for value in row] for row in contributions]).replace("], ", "],\n ") + "\n")


if __name__ == "__main__":
    main()
