#!/usr/bin/python3
"""Writes the small models that the tests of inference score, with golden vectors: models/<name>/1/ beside this script.

trees: gradient boosted trees with missing values, half of the golden rows on thresholds or one float beside them.
dense: a multilayer perceptron whose expected outputs numpy computes in double.
two-outputs, two-inputs, fixed-rows, open-width: graphs that a loader must refuse, or check by a run.
"""

import os
import sys

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "models"))
from streamengine_models import graphs, package, trees  # noqa: E402


def folder(name):
    return os.path.join(HERE, "models", name, "1")


def write_trees(features=6, rows=4000, seed=11):
    random = np.random.RandomState(seed)
    data = np.round(random.gamma(1.2, 8, (rows, features)), 2).astype(np.float32)
    data[random.rand(rows, features) < 0.1] = np.nan
    known = np.nan_to_num(data, nan=-1.0)
    labels = (0.1 * known[:, 0] - 0.05 * known[:, 1] + np.sin(known[:, 2]) + random.normal(0, 1, rows) > 0.8).astype(int)
    model = HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=15, early_stopping=False, random_state=seed)
    model.fit(data, labels)
    golden = np.vstack([
        data[:60], trees.adversarial_rows(model, data, 120, seed), np.full((1, features), np.nan, dtype=np.float32)])
    package.write(
        folder("trees"), trees.export(model, features), "trees", [f"f{i}" for i in range(features)], ["probability"],
        golden=(golden, model.predict_proba(golden)[:, 1:], 1e-6))


def write_dense(features=8, hidden=32, outputs=3, seed=12):
    random = np.random.RandomState(seed)
    first, second = (random.normal(0, 0.3, shape).astype(np.float32) for shape in ((features, hidden), (hidden, outputs)))
    bias = random.normal(0, 0.1, outputs).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["features", "first"], ["a"]),
        helper.make_node("Relu", ["a"], ["r"]),
        helper.make_node("MatMul", ["r", "second"], ["m"]),
        helper.make_node("Add", ["m", "bias"], ["z"]),
        helper.make_node("Sigmoid", ["z"], ["p"]),
    ]
    constants = [numpy_helper.from_array(value, name) for name, value in (("first", first), ("second", second), ("bias", bias))]
    rows = random.normal(0, 2, (70, features)).astype(np.float32)
    hidden_layer = np.maximum(rows.astype(np.float64) @ first.astype(np.float64), 0)
    expected = 1 / (1 + np.exp(-(hidden_layer @ second.astype(np.float64) + bias)))
    package.write(
        folder("dense"), graphs.serialize(nodes, ("features", features), ("p", outputs), constants), "dense",
        [f"f{i}" for i in range(features)], [f"offer-{i}" for i in range(outputs)], golden=(rows, expected, 1e-6))


def write_odd(name, inputs, outputs, nodes):
    """A graph outside the rules: inputs and outputs are (name, element type, shape)."""
    graph = helper.make_graph(
        nodes, name, [helper.make_tensor_value_info(*given) for given in inputs],
        [helper.make_tensor_value_info(*given) for given in outputs])
    model = helper.make_model(
        graph, producer_name="streamengine", ir_version=graphs.IR_VERSION,
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in graphs.OPSETS])
    package.write(folder(name), model.SerializeToString(deterministic=True), "dense", ["f0", "f1"], ["p0", "p1"])


def main():
    write_trees()
    write_dense()
    real = TensorProto.FLOAT
    x, y = ("x", real, ["rows", 2]), ("y", real, ["rows", 2])
    write_odd("two-outputs", [x], [y, ("z", real, ["rows", 2])], [
        helper.make_node("Sigmoid", ["x"], ["y"]), helper.make_node("Relu", ["x"], ["z"])])
    write_odd("two-inputs", [x, ("x2", real, ["rows", 2])], [y], [helper.make_node("Add", ["x", "x2"], ["y"])])
    write_odd("fixed-rows", [("x", real, [4, 2])], [("y", real, [4, 2])], [helper.make_node("Sigmoid", ["x"], ["y"])])
    # Keeps the columns that hold something positive: how wide its output is shows when it runs.
    write_odd("open-width", [x], [("y", real, ["rows", "columns"])], [
        helper.make_node("ReduceMax", ["x"], ["top"], axes=[0], keepdims=0),
        helper.make_node("Constant", [], ["nought"], value=helper.make_tensor("nought", real, [], [0.0])),
        helper.make_node("Greater", ["top", "nought"], ["keep"]),
        helper.make_node("Compress", ["x", "keep"], ["y"], axis=1)])


if __name__ == "__main__":
    main()
