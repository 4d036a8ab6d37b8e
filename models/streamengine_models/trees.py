"""Exports scikit-learn's HistGradientBoostingClassifier (two classes, numeric features) to ONNX."""

import numpy as np
from onnx import helper

from . import graphs


def floor32(values):
    """The largest float32 not above each double.

    For a float32 x, x <= t holds exactly when x <= floor32(t). A plain cast rounds some thresholds up and sends rows
    that sit on the threshold (counts, money in cents) down the other branch.
    """
    values = np.asarray(values, dtype=np.float64)
    with np.errstate(over="ignore"):
        cast = values.astype(np.float32)
    above = cast.astype(np.float64) > values
    return np.where(above, np.nextafter(cast, np.float32(-np.inf)), cast).astype(np.float32)


def predictors(model):
    """The node tables of the trees of a two-class model, in order."""
    if len(model.classes_) != 2:
        raise ValueError(f"two classes are needed, the model has {len(model.classes_)}")
    trees = [iteration[0].nodes for iteration in model._predictors]
    if any(nodes["is_categorical"].any() for nodes in trees):
        raise ValueError("categorical splits can't be exported: encode the feature as numbers before training")
    return trees


def thresholds(model):
    """(feature, float32 threshold) of every split, finite ones only; for rows that sit on them."""
    found = set()
    for nodes in predictors(model):
        splits = nodes[nodes["is_leaf"] == 0]
        for feature, threshold in zip(splits["feature_idx"], floor32(splits["num_threshold"])):
            if np.isfinite(threshold):
                found.add((int(feature), float(threshold)))
    return sorted(found)


def export(model, columns, covers=False):
    """The bytes of an ONNX model: input 'features' [rows, columns], output 'probability' [rows, 1] of the second class.

    Missing values (NaN) take the branch that training chose for them. With covers each node has the number of training rows
    that came to it as its hitrate: explanations of decisions then compare a score with the mean of the training.
    """
    attributes = {key: [] for key in (
        "nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_values", "nodes_modes", "nodes_truenodeids",
        "nodes_falsenodeids", "nodes_missing_value_tracks_true", "target_treeids", "target_nodeids", "target_ids",
        "target_weights")}
    if covers:
        attributes["nodes_hitrates"] = []
    for tree, nodes in enumerate(predictors(model)):
        for index, (node, threshold) in enumerate(zip(nodes, floor32(nodes["num_threshold"]))):
            leaf = bool(node["is_leaf"])
            attributes["nodes_treeids"].append(tree)
            attributes["nodes_nodeids"].append(index)
            attributes["nodes_featureids"].append(0 if leaf else int(node["feature_idx"]))
            attributes["nodes_values"].append(0.0 if leaf else float(threshold))
            attributes["nodes_modes"].append("LEAF" if leaf else "BRANCH_LEQ")
            attributes["nodes_truenodeids"].append(0 if leaf else int(node["left"]))
            attributes["nodes_falsenodeids"].append(0 if leaf else int(node["right"]))
            attributes["nodes_missing_value_tracks_true"].append(0 if leaf else int(node["missing_go_to_left"]))
            if covers:
                attributes["nodes_hitrates"].append(float(node["count"]))
            if leaf:
                attributes["target_treeids"].append(tree)
                attributes["target_nodeids"].append(index)
                attributes["target_ids"].append(0)
                attributes["target_weights"].append(float(np.float32(node["value"])))
    base = float(np.asarray(model._baseline_prediction).reshape(-1)[0])
    nodes = [
        helper.make_node(
            "TreeEnsembleRegressor", ["features"], ["raw"], domain="ai.onnx.ml", n_targets=1, aggregate_function="SUM",
            post_transform="NONE", base_values=[base], **attributes),
        helper.make_node("Sigmoid", ["raw"], ["probability"]),
    ]
    return graphs.serialize(nodes, ("features", columns), ("probability", 1))


def adversarial_rows(model, rows, count, seed):
    """Copies of given rows in which one feature sits on a threshold, one float below or one float above it, in turn."""
    splits = thresholds(model)
    random = np.random.RandomState(seed)
    made = rows[random.randint(len(rows), size=count)].astype(np.float32)
    for index, row in enumerate(made):
        feature, threshold = splits[random.randint(len(splits))]
        towards = (0, -1, 1)[index % 3]
        threshold = np.float32(threshold)
        row[feature] = threshold if towards == 0 else np.nextafter(threshold, np.float32(towards * np.inf))
    return made
