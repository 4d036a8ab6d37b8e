#!/usr/bin/python3
"""Tests of the training scripts: /usr/bin/python3 models/test_models.py"""

import csv
import filecmp
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy as np
import onnx

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import train_propensity  # noqa: E402
from streamengine_models import metrics, table, trees  # noqa: E402


def walk(model, rows):
    """Scores an exported TreeEnsembleRegressor + Sigmoid with float32 comparisons, as its specification says."""
    node = onnx.load_from_string(model).graph.node[0]
    given = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    nodes = {(tree, index): position for position, (tree, index) in enumerate(zip(given["nodes_treeids"], given["nodes_nodeids"]))}
    leaves = {key: weight for key, weight in zip(zip(given["target_treeids"], given["target_nodeids"]), given["target_weights"])}
    values = np.array(given["nodes_values"], dtype=np.float32)
    raw = np.full(len(rows), given["base_values"][0])
    for number, row in enumerate(rows.astype(np.float32)):
        for tree in sorted(set(given["nodes_treeids"])):
            at = 0
            while (tree, at) not in leaves:
                position = nodes[(tree, at)]
                value = row[given["nodes_featureids"][position]]
                left = bool(given["nodes_missing_value_tracks_true"][position]) if np.isnan(value) else value <= values[position]
                at = given["nodes_truenodeids" if left else "nodes_falsenodeids"][position]
            raw[number] += leaves[(tree, at)]
    return 1 / (1 + np.exp(-raw))


def write_features(path, rows=3000, seed=5):
    """Customers whose chance to buy grows with views and money, with missing values; money in cents, counts whole."""
    random = np.random.RandomState(seed)
    views = random.poisson(4, rows)
    money = np.round(random.gamma(1.5, 20, rows), 2)
    recency = random.exponential(10, rows)
    bought = random.rand(rows) < 1 / (1 + np.exp(-(0.4 * views + 0.03 * money - 0.05 * recency - 3)))
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["customer", "time", "bought", "views_1h", "revenue_24h", "recency_days"])
        for i in range(rows):
            writer.writerow([f"c{i}", 1700000000000 + 1000 * i, int(bought[i]), views[i], money[i], "" if i % 7 == 0 else recency[i]])


class ModelsTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.csv = os.path.join(self.folder.name, "train.csv")
        write_features(self.csv)

    def train(self, version="1", seed="1"):
        out = os.path.join(self.folder.name, "propensity", version)
        train_propensity.main(["--features", self.csv, "--label", "bought", "--out", out, "--iterations", "30", "--seed", seed])
        return out

    def fitted(self):
        data = table.read(self.csv, "bought")
        return data, train_propensity.train(data, 1, 30, 0.25)[0]

    def test_covers_are_the_training_rows_of_each_node_and_change_no_score(self):
        data, model = self.fitted()
        plain, covered = trees.export(model, 3), trees.export(model, 3, covers=True)
        self.assertTrue((walk(plain, data.features[:200]) == walk(covered, data.features[:200])).all())
        node = onnx.load_from_string(covered).graph.node[0]
        given = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
        covers = dict(zip(zip(given["nodes_treeids"], given["nodes_nodeids"]), given["nodes_hitrates"]))
        for tree, index, mode, yes, no in zip(given["nodes_treeids"], given["nodes_nodeids"], given["nodes_modes"],
                                              given["nodes_truenodeids"], given["nodes_falsenodeids"]):
            if mode != b"LEAF":
                self.assertEqual(covers[(tree, index)], covers[(tree, yes)] + covers[(tree, no)])
        self.assertEqual(covers[(0, 0)], len(train_propensity.split(data, 0.25, 1)[0]))
        self.assertNotIn(b"nodes_hitrates", plain)

    def test_floor32_is_the_largest_float_not_above(self):
        values = np.array([0.1, 0.3, 1 / 3, 2.5, -0.1, 1e300, np.inf, 16777217.0, 0.7])
        floors = trees.floor32(values)
        self.assertTrue((floors.astype(np.float64) <= values).all())
        self.assertTrue((np.nextafter(floors[:5], np.float32(np.inf)).astype(np.float64) > values[:5]).all())
        self.assertEqual(floors[7], np.float32(16777216))

    def test_rows_on_thresholds_take_the_librarys_branch(self):
        data, model = self.fitted()
        rows = trees.adversarial_rows(model, data.features, 600, 3)
        difference = np.abs(walk(trees.export(model, 3), rows) - model.predict_proba(rows)[:, 1])
        self.assertLess(difference.max(), 1e-6)

    def test_a_plain_cast_would_fail_that_test(self):
        data, model = self.fitted()
        rows = trees.adversarial_rows(model, data.features, 600, 3)
        proper = trees.floor32
        trees.floor32 = lambda values: np.asarray(values).astype(np.float32)
        self.addCleanup(setattr, trees, "floor32", proper)
        difference = np.abs(walk(trees.export(model, 3), rows) - model.predict_proba(rows)[:, 1])
        self.assertGreater(difference.max(), 1e-4)

    def test_training_again_gives_the_same_bytes(self):
        first, second = self.train("1"), self.train("2")
        self.assertTrue(filecmp.cmp(f"{first}/model.onnx", f"{second}/model.onnx", shallow=False))
        self.assertTrue(filecmp.cmp(f"{first}/golden.json", f"{second}/golden.json", shallow=False))

    def test_the_manifest_tells_inputs_window_and_honest_metrics(self):
        with open(f"{self.train()}/model.json", encoding="utf-8") as file:
            manifest = json.load(file)
        self.assertEqual(manifest["inputs"], ["views_1h", "revenue_24h", "recency_days"])
        self.assertEqual((manifest["name"], manifest["version"], manifest["kind"]), ("propensity", "1", "trees"))
        self.assertEqual(manifest["training_window"][0], "2023-11-14T22:13:20.000Z")
        self.assertEqual((manifest["metrics"]["training_rows"], manifest["metrics"]["holdout_rows"]), (2250, 750))
        self.assertGreater(manifest["metrics"]["auc"], 0.7)
        self.assertLess(manifest["metrics"]["log_loss"], manifest["metrics"]["base_rate_log_loss"])

    def test_the_newest_rows_are_held_out(self):
        data = table.read(self.csv, "bought")
        fit, held_out = train_propensity.split(data, 0.25, 1)
        self.assertLess(data.times[fit].max(), data.times[held_out].min())
        self.assertEqual(len(fit) + len(held_out), 3000)

    def test_metrics_of_known_cases(self):
        labels = np.array([0, 0, 1, 1.0])
        self.assertEqual(metrics.auc(labels, np.array([0.1, 0.4, 0.35, 0.8])), 0.75)
        self.assertEqual(metrics.brier(labels, np.array([0, 0, 1, 1.0])), 0)
        self.assertAlmostEqual(metrics.log_loss(labels, np.full(4, 0.5)), np.log(2))
        self.assertAlmostEqual(metrics.ece(labels, np.full(4, 0.75), bins=1), 0.25)

    def test_what_is_wrong_with_a_file_is_said(self):
        with self.assertRaisesRegex(table.TableError, "no column 'sold'; it has: customer, time, bought"):
            table.read(self.csv, "sold")
        with self.assertRaisesRegex(table.TableError, "'customer' is 'c0', no number; leave the column out with --ignore customer"):
            table.read(self.csv, "bought", inputs=["customer"])
        with self.assertRaisesRegex(table.TableError, "must be 0 or 1"):
            table.read(self.csv, "views_1h")


class CommittedModelTest(unittest.TestCase):
    """Training the committed model again, by the commands that the README gives, on the data that it names."""

    ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    DATA = os.path.join(os.environ.get("STREAMENGINE_TEST_DATA") or os.path.join(ROOT, "..", "shared", "data"), "online-retail", "online-retail.csv.gz")

    @unittest.skipUnless(os.path.exists(DATA), "the data set Online Retail is not here; deploy/samples/online-retail/README.md says where to get it")
    @unittest.skipUnless(shutil.which("dotnet"), "there is no dotnet to compute the features with")
    def test_repurchase_comes_out_byte_for_byte(self):
        with open(os.path.join(self.ROOT, "models", "README.md"), encoding="utf-8") as file:
            commands = re.search(r"To train it again, byte for byte.*?```\n(.*?)```", file.read(), re.DOTALL).group(1)
        with tempfile.TemporaryDirectory() as folder:
            files = {
                "online-retail.csv.gz": self.DATA, "labels.csv": f"{folder}/labels.csv", "training.csv": f"{folder}/training.csv",
                "models/repurchase/1": f"{folder}/repurchase/1",
            }
            for line in commands.replace("\\\n", " ").splitlines():
                words = [files.get(word, word) for word in shlex.split(line)]
                out = open(words.pop(), "wb") if ">" in words else None
                run = subprocess.run([word for word in words if word != ">"], cwd=self.ROOT, stdout=out or subprocess.PIPE, stderr=subprocess.PIPE)
                if out:
                    out.close()
                self.assertEqual(run.returncode, 0, f"{line}: {run.stderr.decode()}")
            names = sorted(os.listdir(os.path.join(self.ROOT, "models", "repurchase", "1")))
            self.assertEqual(names, ["golden.json", "model.json", "model.onnx"])
            for name in names:
                self.assertTrue(filecmp.cmp(f"{folder}/repurchase/1/{name}", os.path.join(self.ROOT, "models", "repurchase", "1", name), shallow=False), f"{name} differs")


if __name__ == "__main__":
    unittest.main()
