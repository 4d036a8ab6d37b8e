#!/usr/bin/python3
"""Trains a propensity model from a training set that the engine's `features` command wrote, and packages it.

    streamengine features ... --at labels.csv > train.csv
    models/train_propensity.py --features train.csv --label bought --out models/propensity/1

The same file and seed give the same bytes. Where the file has a `time` column, the newest rows are held out (a model
is used on the future, not on a shuffled past); else a seeded random quarter. The metrics are of the rows held out, and
of the very model that is written: it isn't trained again on all rows afterwards.
"""

import argparse
import os
import sys

os.environ["OMP_NUM_THREADS"] = "1"  # sums in one order: the same bytes on any number of cores

import numpy as np  # noqa: E402
from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: E402

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from streamengine_models import metrics, package, table, trees  # noqa: E402


def split(data, share, seed):
    """(training rows, rows held out) as index arrays; rows of one instant stay on one side."""
    count = len(data.labels)
    if data.times is None:
        order = np.random.RandomState(seed).permutation(count)
        cut = count - int(round(count * share))
        return np.sort(order[:cut]), np.sort(order[cut:])
    order = np.argsort(data.times, kind="stable")
    border = data.times[order[min(count - 1, count - int(round(count * share)))]]
    return order[data.times[order] < border], order[data.times[order] >= border]


def train(data, seed, iterations, share):
    """The model and what package.write wants to know of it."""
    fit, held_out = split(data, share, seed)
    for rows, what in ((fit, "training"), (held_out, "hold-out")):
        if len(np.unique(data.labels[rows])) < 2:
            raise table.TableError(f"the {len(rows)} {what} rows have one class only: more rows, or another --holdout, are needed")
    model = HistGradientBoostingClassifier(
        max_iter=iterations, learning_rate=0.08, max_leaf_nodes=31, min_samples_leaf=40, l2_regularization=1.0,
        early_stopping=False, random_state=seed)
    model.fit(data.features[fit], data.labels[fit])
    measured = metrics.report(data.labels[held_out], model.predict_proba(data.features[held_out])[:, 1])
    measured["training_rows"], measured["holdout_rows"] = len(fit), len(held_out)
    window = None if data.times is None else [table.iso(data.times[fit].min()), table.iso(data.times[fit].max())]
    return model, measured, window


def golden_rows(model, data, seed, count=48):
    """Rows of the file, then rows on the trees' thresholds, then one with nothing known."""
    random = np.random.RandomState(seed)
    some = data.features[random.randint(len(data.features), size=count)]
    nothing = np.full((1, data.features.shape[1]), np.nan, dtype=np.float32)
    return np.vstack([some, trees.adversarial_rows(model, data.features, count, seed), nothing])


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", required=True, metavar="FILE.csv")
    parser.add_argument("--label", required=True, metavar="COLUMN", help="0 or 1; the columns right of it are the features")
    parser.add_argument("--out", required=True, metavar="models/NAME/VERSION")
    parser.add_argument("--inputs", metavar="A,B,...", type=lambda text: text.split(","), help="the feature columns, instead")
    parser.add_argument("--ignore", metavar="COLUMN", action="append", default=[], help="no feature; may be repeated")
    parser.add_argument("--holdout", type=float, default=0.25, help="share of rows held out (0.25)")
    parser.add_argument("--iterations", type=int, default=100, help="trees (100)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--covers", action="store_true", help="keep how many training rows came to each node, for explanations")
    options = parser.parse_args(arguments)
    if not 0 < options.holdout < 1:
        parser.error("--holdout must lie between 0 and 1")
    try:
        data = table.read(options.features, options.label, options.inputs, options.ignore)
        model, measured, window = train(data, options.seed, options.iterations, options.holdout)
    except (table.TableError, OSError) as error:
        sys.exit(f"train_propensity: {error}")
    rows = golden_rows(model, data, options.seed)
    manifest = package.write(
        options.out, trees.export(model, len(data.inputs), options.covers), "trees", data.inputs, ["probability"], measured, window,
        (rows, model.predict_proba(rows)[:, 1:], 1e-6))
    print(f"{options.out}: {len(data.inputs)} inputs, {manifest['metrics']}")


if __name__ == "__main__":
    main()
