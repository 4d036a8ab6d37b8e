#!/usr/bin/python3
"""Writes the model of the measured job: five logistic offers over twelve features, in closed form.

    perf/job/make_model.py                                          perf/job/models/job/1, as committed
    perf/job/make_model.py --variant 3 --out /tmp/models/job/2      another model, for tests that replace one

x_i = log1p(max(f_i, 0)); z_k = b_k + sum of w_ki x_i; p_k = 1 / (1 + exp(-z_k)); b_k = -2 - 0.1 k;
w_ki = (((12 k + i) * 37 + 11 * variant) mod 101 - 50) / 200. Byte-identical for equal arguments.
The arithmetic between the float input and the float output is in double: a priority p_k v_k (v up to 30) then errs by
about 2e-6, where float arithmetic would come near the 1e-5 within which another choice passes.
"""

import argparse
import os
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "models"))
from streamengine_models import graphs, package  # noqa: E402

FEATURES = [
    "events_5m", "views_1h", "carts_24h", "revenue_24h", "views_7d", "session_events", "session_seconds",
    "session_cart_value", "recency_days", "frequency", "monetary", "since_last_s"]
OFFERS = 5


def weights(variant):
    """(12 x 5 weights, 5 biases) in double."""
    offers, features = np.meshgrid(np.arange(OFFERS), np.arange(len(FEATURES)))
    return (((12 * offers + features) * 37 + 11 * variant) % 101 - 50) / 200, -2 - 0.1 * np.arange(OFFERS)


def graph(variant):
    """The model's bytes."""
    weight, bias = weights(variant)
    nodes = [
        helper.make_node("Relu", ["features"], ["positive"]),
        helper.make_node("Cast", ["positive"], ["wide"], to=TensorProto.DOUBLE),
        helper.make_node("Add", ["wide", "one"], ["shifted"]),
        helper.make_node("Log", ["shifted"], ["x"]),
        helper.make_node("MatMul", ["x", "w"], ["wx"]),
        helper.make_node("Add", ["wx", "b"], ["z"]),
        helper.make_node("Sigmoid", ["z"], ["p"]),
        helper.make_node("Cast", ["p"], ["probability"], to=TensorProto.FLOAT),
    ]
    constants = [
        numpy_helper.from_array(np.array([1.0]), "one"),
        numpy_helper.from_array(weight, "w"),
        numpy_helper.from_array(bias, "b"),
    ]
    return graphs.serialize(nodes, ("features", len(FEATURES)), ("probability", OFFERS), constants, "job")


def expected(rows, variant):
    """The job's own arithmetic in double, features in ascending order."""
    weight, bias = weights(variant)
    x = np.log1p(np.maximum(np.asarray(rows, dtype=np.float64), 0))
    z = np.tile(bias, (len(x), 1))
    for i in range(len(FEATURES)):
        z = z + x[:, i:i + 1] * weight[i]
    return 1 / (1 + np.exp(-z))


def golden_rows(count=64, seed=1):
    """A customer's first event, then rows from small counts to large sums, with the -1 of what is not known."""
    random = np.random.RandomState(seed)
    scale = np.array([5, 10, 3, 200, 50, 12, 1800, 300, 30, 20, 80, 3600])
    rows = (random.gamma(0.7, 1, (count, len(FEATURES))) * scale * 10 ** random.uniform(-2, 2, (count, 1))).astype(np.float32)
    rows[:, [0, 1, 2, 4, 5, 9]] = np.floor(rows[:, [0, 1, 2, 4, 5, 9]])
    rows[::4, 8] = -1
    rows[::5, 7] *= -1
    rows[0] = [1, 1, 0, 0, 1, 1, 0, 0, -1, 0, 0, -1]
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variant", type=int, default=0, help="0 is the job's own model (0)")
    parser.add_argument("--out", default=os.path.join(HERE, "models", "job", "1"), metavar="models/NAME/VERSION")
    options = parser.parse_args()
    rows = golden_rows()
    package.write(
        options.out, graph(options.variant), "dense", FEATURES, [f"offer-{k}" for k in range(OFFERS)],
        golden=(rows, expected(rows, options.variant), 2e-7))


if __name__ == "__main__":
    main()
