#!/usr/bin/python3
"""Writes small models of the shapes that people export, with golden vectors: models/<name>/1/ beside this script.

The graphs have the nodes, names, types and shapes that skl2onnx and onnxmltools write; the expected scores are the training library's own
(scikit-learn's predict_proba), or numpy's in double. A row of a golden file is a feature vector: a category is its number.
"""

import os
import sys

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
from onnx import TensorProto, ValueInfoProto, checker, helper, numpy_helper  # noqa: E402
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: E402

from make_models import folder  # noqa: E402  (sets the path to streamengine_models)
from streamengine_models import graphs, package, trees  # noqa: E402

FLOAT, DOUBLE, INT64, STRING = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64, TensorProto.STRING
ML = "ai.onnx.ml"


def serialize(nodes, inputs, outputs, initializers=(), checked=True):
    """inputs and outputs: (name, element type, shape), or a value that is made already, such as maps."""
    def value(given):
        return helper.make_tensor_value_info(*given) if isinstance(given, tuple) else given
    graph = helper.make_graph(list(nodes), "exported", [value(i) for i in inputs], [value(o) for o in outputs], list(initializers))
    model = helper.make_model(
        graph, producer_name="streamengine", ir_version=graphs.IR_VERSION,
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in graphs.OPSETS])
    if checked:
        checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def maps(name, key):
    """What a ZipMap makes: for each row a map of its classes."""
    value = ValueInfoProto(name=name)
    made = value.type.sequence_type.elem_type.map_type
    made.key_type = key
    made.value_type.tensor_type.elem_type = FLOAT
    return value


def linear(model, tensor, softmax=False):
    """The nodes of a logistic regression: 'label' and 'probabilities'."""
    two = len(model.classes_) == 2
    coefficients = np.vstack([-model.coef_, model.coef_]) if two else model.coef_
    intercepts = np.concatenate([-model.intercept_, model.intercept_]) if two else model.intercept_
    labels = {"classlabels_strings": list(model.classes_)} if model.classes_.dtype.kind == "U" else {
        "classlabels_ints": [int(c) for c in model.classes_]}
    return [
        helper.make_node(
            "LinearClassifier", [tensor], ["label", "probability_tensor"], domain=ML, multi_class=int(not two),
            post_transform="SOFTMAX" if softmax else "LOGISTIC", coefficients=[float(c) for c in coefficients.ravel()],
            intercepts=[float(i) for i in intercepts], **labels),
        helper.make_node("Normalizer", ["probability_tensor"], ["probabilities"], domain=ML, norm="L1")]


def numbers(rows, columns, seed):
    """Rows of features as a shop has them, and what depends on them."""
    random = np.random.RandomState(seed)
    data = np.round(random.gamma(1.5, 4, (rows, columns)), 2).astype(np.float32)
    return data, 0.25 * data[:, 0] - 0.2 * data[:, 1] + random.normal(0, 1, rows)


def write_zipmap():
    """convert_sklearn(LogisticRegression), as it comes: a label and maps."""
    data, drive = numbers(600, 4, 21)
    model = LogisticRegression(max_iter=1000).fit(data, (drive > 0.3).astype(int))
    nodes = linear(model, "X") + [
        helper.make_node("Cast", ["label"], ["output_label"], to=INT64),
        helper.make_node("ZipMap", ["probabilities"], ["output_probability"], domain=ML, classlabels_int64s=[0, 1])]
    package.write(
        folder("sklearn-zipmap"),
        serialize(nodes, [("X", FLOAT, [None, 4])], [("output_label", INT64, [None]), maps("output_probability", INT64)]),
        "dense", [f"f{i}" for i in range(4)], ["probability"], golden=(data[:64], model.predict_proba(data[:64])[:, 1:], 1e-6))


def write_classes():
    """zipmap off, three classes named by texts; the outputs are two of them, in an order of their own."""
    data, drive = numbers(900, 4, 22)
    labels = np.where(drive > 1.5, "club", np.where(drive > 0, "newsletter", "none"))
    model = LogisticRegression(max_iter=2000).fit(data, labels)
    expected = model.predict_proba(data[:64])[:, [list(model.classes_).index(c) for c in ("newsletter", "club")]]
    package.write(
        folder("sklearn-classes"),
        serialize(linear(model, "X", softmax=True), [("X", FLOAT, [None, 4])], [
            ("label", STRING, [None]), ("probabilities", FLOAT, [None, 3])]),
        "dense", [f"f{i}" for i in range(4)], ["newsletter", "club"], golden=(data[:64], expected, 1e-6))


def write_zipmap_columns():
    """zipmap='columns': a flat output for each class; the one that is read is named."""
    data, drive = numbers(600, 4, 23)
    model = LogisticRegression(max_iter=1000).fit(data, (drive > 0.3).astype(int))
    nodes = linear(model, "X") + [helper.make_node("Cast", ["label"], ["output_label"], to=INT64)]
    for column in (0, 1):
        nodes += [
            helper.make_node("ArrayFeatureExtractor", ["probabilities", f"c{column}"], [f"p{column}"], domain=ML),
            helper.make_node("Reshape", [f"p{column}", "flat"], [f"i{column}"])]
    constants = [numpy_helper.from_array(np.array([value], dtype=np.int64), name) for name, value in (("c0", 0), ("c1", 1), ("flat", -1))]
    package.write(
        folder("sklearn-columns"),
        serialize(nodes, [("X", FLOAT, [None, 4])], [
            ("output_label", INT64, [None]), ("i0", FLOAT, [None]), ("i1", FLOAT, [None])], constants),
        "dense", [f"f{i}" for i in range(4)], ["probability"], more={"output": "i1"},
        golden=(data[:64], model.predict_proba(data[:64])[:, 1:], 1e-6))


def write_data_frame():
    """A data frame with numbers, whole numbers and texts through a ColumnTransformer: an input for each column."""
    random = np.random.RandomState(24)
    countries, plans = ["de", "fr", "nl", "s\u00e3o-tom\u00e9-and-pr\u00edncipe"], ["basic", "pro"]
    rows = 800
    numeric = np.column_stack([np.round(random.gamma(2, 15, rows), 1), random.poisson(4, rows)]).astype(np.float32)
    country, plan = random.randint(0, 4, rows), random.randint(0, 2, rows)
    frame = np.empty((rows, 4), dtype=object)
    frame[:, 0], frame[:, 1] = numeric[:, 0], numeric[:, 1].astype(np.int64)
    frame[:, 2], frame[:, 3] = np.array(countries)[country], np.array(plans)[plan]
    bought = (0.03 * numeric[:, 0] - 0.2 * numeric[:, 1] + 0.8 * (country == 1) + plan + random.normal(0, 0.7, rows) > 0.9).astype(int)
    model = make_pipeline(
        ColumnTransformer([("num", StandardScaler(), [0, 1]), ("cat", OneHotEncoder(handle_unknown="ignore"), [2, 3])]),
        LogisticRegression(max_iter=1000)).fit(frame, bought)
    scaler, encoder = (model[0].named_transformers_[name] for name in ("num", "cat"))
    nodes = [
        helper.make_node("Cast", ["visits"], ["visits_float"], to=FLOAT),
        helper.make_node("Concat", ["age", "visits_float"], ["numbers"], axis=1),
        helper.make_node(
            "Scaler", ["numbers"], ["scaled"], domain=ML, offset=[float(m) for m in scaler.mean_],
            scale=[float(1 / s) for s in scaler.scale_]),
        helper.make_node("Concat", ["country", "plan"], ["texts"], axis=1)]
    for column, categories in enumerate(encoder.categories_):
        nodes += [
            helper.make_node("Gather", ["texts", f"texts{column}"], [f"text{column}"], axis=1),
            helper.make_node(
                "OneHotEncoder", [f"text{column}"], [f"hot{column}"], domain=ML, zeros=1, cats_strings=list(categories))]
    nodes += [
        helper.make_node("Concat", ["hot0", "hot1"], ["hot"], axis=-1),
        helper.make_node("Reshape", ["hot", "shape"], ["encoded"]),
        helper.make_node("Concat", ["scaled", "encoded"], ["all"], axis=1),
        *linear(model[1], "all"),
        helper.make_node("Cast", ["label"], ["output_label"], to=INT64),
        helper.make_node("ZipMap", ["probabilities"], ["output_probability"], domain=ML, classlabels_int64s=[0, 1])]
    constants = [numpy_helper.from_array(np.array(value, dtype=np.int64), name) for name, value in (
        ("texts0", [0]), ("texts1", [1]), ("shape", [-1, 6]))]
    # Rows with a country that training has not seen, or none: all of its columns are 0 then.
    golden = [[float(a), float(v), float(c), float(p)] for (a, v), c, p in zip(numeric[:60], country[:60], plan[:60])]
    golden += [[20.5, 3.0, -1.0, 1.0], [20.5, 3.0, float("nan"), 0.0], [20.5, 3.0, 4.0, 0.0]]
    known = np.array(countries + ["atlantis"], dtype=object)
    asked = np.empty((len(golden), 4), dtype=object)
    for index, (a, v, c, p) in enumerate(golden):
        asked[index] = [np.float32(a), int(v), known[int(c)] if c >= 0 else "", plans[int(p)]]
    package.write(
        folder("sklearn-frame"),
        serialize(
            nodes, [("age", FLOAT, [None, 1]), ("visits", INT64, [None, 1]), ("country", STRING, [None, 1]), ("plan", STRING, [None, 1])],
            [("output_label", INT64, [None]), maps("output_probability", INT64)], constants),
        # In another order than the graph's: the names tell.
        "dense", ["country", "age", "plan", "visits"], ["probability"],
        more={"categories": {"country": countries, "plan": plans}},
        golden=([[c, a, p, v] for a, v, c, p in golden], model.predict_proba(asked)[:, 1:], 1e-6))


def write_double():
    """DoubleTensorType: numbers that a float can't tell apart decide the score."""
    random = np.random.RandomState(25)
    rows = [[2.0 ** 30 + float(step), float(np.round(random.gamma(2, 3), 3)), float(random.randint(5))] for step in range(64)]
    weights, bias = np.array([[0.25], [-0.1], [0.05]]), np.array([-(2.0 ** 30) * 0.25 - 8.0])
    nodes = [
        helper.make_node("MatMul", ["X", "coef"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["raw"]),
        helper.make_node("Sigmoid", ["raw"], ["yes"]),
        helper.make_node("Sub", ["one", "yes"], ["no"]),
        helper.make_node("Concat", ["no", "yes"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0)]
    constants = [numpy_helper.from_array(value, name) for name, value in (
        ("coef", weights), ("bias", bias), ("one", np.array([1.0])))]
    expected = 1 / (1 + np.exp(-(np.array(rows) @ weights + bias)))
    package.write(
        folder("sklearn-double"),
        serialize(nodes, [("X", DOUBLE, [None, 3])], [("label", INT64, [None]), ("probabilities", DOUBLE, [None, 2])], constants),
        "dense", ["big", "f1", "f2"], ["probability"], golden=(rows, expected, 1e-7))


def boosted(features, outputs, zipmap):
    """Boosted trees with missing values, as onnxmltools writes XGBoost's and LightGBM's: one weight per leaf, for class 1."""
    data, drive = numbers(1500, features, 26)
    random = np.random.RandomState(27)
    data[random.rand(*data.shape) < 0.15] = np.nan
    model = HistGradientBoostingClassifier(max_iter=15, max_leaf_nodes=8, early_stopping=False, random_state=1)
    model.fit(data, (drive > 0.3).astype(int))
    attributes = {key: [] for key in (
        "nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_values", "nodes_modes", "nodes_truenodeids",
        "nodes_falsenodeids", "nodes_missing_value_tracks_true", "class_treeids", "class_nodeids", "class_ids", "class_weights")}
    for tree, nodes in enumerate(trees.predictors(model)):
        for index, (node, threshold) in enumerate(zip(nodes, trees.floor32(nodes["num_threshold"]))):
            leaf = bool(node["is_leaf"])
            for key, value in (
                    ("treeids", tree), ("nodeids", index), ("featureids", 0 if leaf else int(node["feature_idx"])),
                    ("values", 0.0 if leaf else float(threshold)), ("modes", "LEAF" if leaf else "BRANCH_LEQ"),
                    ("truenodeids", 0 if leaf else int(node["left"])), ("falsenodeids", 0 if leaf else int(node["right"])),
                    ("missing_value_tracks_true", 0 if leaf else int(node["missing_go_to_left"]))):
                attributes["nodes_" + key].append(value)
            if leaf:
                for key, value in (("treeids", tree), ("nodeids", index), ("ids", 0), ("weights", float(np.float32(node["value"])))):
                    attributes["class_" + key].append(value)
    base = float(np.asarray(model._baseline_prediction).reshape(-1)[0])
    label, tensor = ("label_tensor", "probability_tensor") if zipmap else outputs
    nodes = [helper.make_node(
        "TreeEnsembleClassifier", ["input"], [label, tensor], domain=ML, classlabels_int64s=[0, 1], post_transform="LOGISTIC",
        base_values=[base], **attributes)]
    if zipmap:
        nodes += [
            helper.make_node("Cast", [label], [outputs[0]], to=INT64),
            helper.make_node("ZipMap", [tensor], [outputs[1]], domain=ML, classlabels_int64s=[0, 1])]
    golden = np.vstack([data[:40], trees.adversarial_rows(model, data, 40, 5), np.full((1, features), np.nan, dtype=np.float32)])
    last = maps(outputs[1], INT64) if zipmap else (outputs[1], FLOAT, [None, 2])
    return (serialize(nodes, [("input", FLOAT, [None, features])], [(outputs[0], INT64, [None]), last]),
            golden, model.predict_proba(golden)[:, 1:])


def write_boosted():
    for name, zipmap in (("lightgbm", True), ("xgboost", False)):
        model, rows, expected = boosted(5, ("label", "probabilities"), zipmap)
        package.write(folder(name), model, "trees", [f"f{i}" for i in range(5)], ["probability"], golden=(rows, expected, 1e-6))


def write_torch(features=13, hidden=37):
    """torch.onnx.export of two nn.Linear: Gemm with the weights transposed."""
    random = np.random.RandomState(28)
    first, second = (random.normal(0, 0.4, shape).astype(np.float32) for shape in ((hidden, features), (1, hidden)))
    biases = [random.normal(0, 0.1, length).astype(np.float32) for length in (hidden, 1)]
    nodes = [
        helper.make_node("Gemm", ["input", "fc1.weight", "fc1.bias"], ["a"], transB=1),
        helper.make_node("Relu", ["a"], ["r"]),
        helper.make_node("Gemm", ["r", "fc2.weight", "fc2.bias"], ["z"], transB=1),
        helper.make_node("Sigmoid", ["z"], ["output"])]
    constants = [numpy_helper.from_array(value, name) for name, value in (
        ("fc1.weight", first), ("fc1.bias", biases[0]), ("fc2.weight", second), ("fc2.bias", biases[1]))]
    rows = random.normal(0, 1, (64, features)).astype(np.float32)
    hidden_layer = np.maximum(rows.astype(np.float64) @ first.T.astype(np.float64) + biases[0], 0)
    expected = 1 / (1 + np.exp(-(hidden_layer @ second.T.astype(np.float64) + biases[1])))
    package.write(
        folder("torch"), serialize(nodes, [("input", FLOAT, ["rows", features])], [("output", FLOAT, ["rows", 1])], constants), "dense",
        [f"f{i}" for i in range(features)], ["probability"], golden=(rows, expected, 1e-6))


def write_refused():
    """What can't be read: a label alone; weights in another file; categories that a row of zeros has none of; loops and constants without
    an end."""
    two, one = [None, 2], [None, 1]
    package.write(
        folder("label-only"), serialize([helper.make_node("ArgMax", ["X"], ["label"], axis=1, keepdims=0)], [("X", FLOAT, two)], [
            ("label", INT64, [None])]), "dense", ["f0", "f1"], ["probability"])
    package.write(
        folder("strict-categories"), serialize([
            helper.make_node("OneHotEncoder", ["segment"], ["hot"], domain=ML, zeros=0, cats_int64s=[3, 5]),
            helper.make_node("Reshape", ["hot", "shape"], ["probabilities"])],
            [("segment", INT64, one)], [("probabilities", FLOAT, two)],
            [numpy_helper.from_array(np.array([-1, 2], dtype=np.int64), "shape")]),
        "dense", ["segment"], ["three", "five"])
    weights = numpy_helper.from_array(np.ones((2, 1), dtype=np.float32), "weights")
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    entry = weights.external_data.add()
    entry.key, entry.value = "location", "model.onnx.data"
    package.write(
        folder("external"), serialize([helper.make_node("MatMul", ["X", "weights"], ["output"])], [("X", FLOAT, two)], [
            ("output", FLOAT, one)], [weights], checked=False), "dense", ["f0", "f1"], ["probability"])
    true = numpy_helper.from_array(np.array(True), "true")
    body = helper.make_graph(
        [helper.make_node("Identity", ["go_on"], ["still"]), helper.make_node("Add", ["before", "before"], ["after"])], "body",
        [helper.make_tensor_value_info("i", INT64, []), helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
         helper.make_tensor_value_info("before", FLOAT, two)],
        [helper.make_tensor_value_info("still", TensorProto.BOOL, []), helper.make_tensor_value_info("after", FLOAT, two)])
    package.write(
        folder("endless"), serialize(
            [helper.make_node("Loop", ["", "true", "X"], ["probabilities"], body=body)], [("X", FLOAT, two)],
            [("probabilities", FLOAT, two)], [true]),
        "dense", ["f0", "f1"], ["no", "yes"])
    grow = helper.make_graph(
        [helper.make_node("Identity", ["go_on"], ["still"]), helper.make_node("Identity", ["before"], ["after"]),
         helper.make_node("Expand", ["nought", "length"], ["kept"])], "body",
        [helper.make_tensor_value_info("i", INT64, []), helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
         helper.make_tensor_value_info("before", FLOAT, two)],
        [helper.make_tensor_value_info("still", TensorProto.BOOL, []), helper.make_tensor_value_info("after", FLOAT, two),
         helper.make_tensor_value_info("kept", FLOAT, [1 << 20])])
    package.write(
        folder("growing"), serialize(
            [helper.make_node("Loop", ["", "true", "X"], ["looped", "all"], body=grow),
             helper.make_node("ReduceSum", ["all"], ["sum"], keepdims=0),
             helper.make_node("Add", ["looped", "sum"], ["probabilities"])], [("X", FLOAT, two)],
            [("probabilities", FLOAT, two)],
            [true, numpy_helper.from_array(np.array([0.5], dtype=np.float32), "nought"),
             numpy_helper.from_array(np.array([1 << 20], dtype=np.int64), "length")]),
        "dense", ["f0", "f1"], ["no", "yes"])
    side = 1500
    nodes = [helper.make_node("ConstantOfShape", ["shape"], ["m0"], value=helper.make_tensor("v", FLOAT, [1], [0.001]))]
    nodes += [helper.make_node("MatMul", [f"m{i}", "m0"], [f"m{i + 1}"]) for i in range(8)]
    nodes += [helper.make_node("ReduceSum", ["m8"], ["sum"], keepdims=0), helper.make_node("Add", ["X", "sum"], ["probabilities"])]
    package.write(
        folder("slow-constants"), serialize(
            nodes, [("X", FLOAT, two)], [("probabilities", FLOAT, two)],
            [numpy_helper.from_array(np.array([side, side], dtype=np.int64), "shape")]),
        "dense", ["f0", "f1"], ["no", "yes"])


def main():
    write_zipmap()
    write_classes()
    write_zipmap_columns()
    write_data_frame()
    write_double()
    write_boosted()
    write_torch()
    write_refused()


if __name__ == "__main__":
    main()
