"""Hold-out metrics of predicted probabilities."""

import numpy as np
from scipy.stats import rankdata


def auc(labels, scores):
    """The chance that a positive row scores above a negative one, ties counted half; NaN where a class is absent."""
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if positives == 0 or negatives == 0:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[labels == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def log_loss(labels, scores):
    """Mean negative log likelihood in nats; probabilities are kept 1e-15 away from 0 and 1."""
    clipped = np.clip(scores, 1e-15, 1 - 1e-15)
    return float(-np.mean(labels * np.log(clipped) + (1 - labels) * np.log1p(-clipped)))


def brier(labels, scores):
    """Mean squared difference of probability and outcome."""
    return float(np.mean((scores - labels) ** 2))


def ece(labels, scores, bins=10):
    """Expected calibration error over bins of equal mass: the mean distance of predicted and observed rate.

    Even true probabilities score above 0 (about sqrt(bins / rows) * 0.4): compare with that floor.
    """
    order = np.argsort(scores, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return float(sum(abs(scores[part].mean() - labels[part].mean()) * len(part) for part in parts) / len(labels))


def report(labels, scores):
    """The metrics by the names that model.json gives them, with the rate and log loss of always saying the base rate."""
    base = float(labels.mean())
    return {
        "auc": auc(labels, scores),
        "log_loss": log_loss(labels, scores),
        "brier": brier(labels, scores),
        "ece": ece(labels, scores),
        "base_rate": base,
        "base_rate_log_loss": log_loss(labels, np.full(len(labels), base)),
    }
