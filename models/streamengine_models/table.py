"""Reads the training set that the engine's `features` command wrote: label columns first, then feature columns."""

import csv
from datetime import datetime, timezone

import numpy as np


class TableError(Exception):
    """The file can't be used; the message says why and what to do."""


class Table:
    """labels (0 or 1), features (float32, NaN where empty), inputs (their names), times (epoch seconds, or None)."""

    def __init__(self, labels, features, inputs, times):
        self.labels, self.features, self.inputs, self.times = labels, features, inputs, times


def read(path, label, inputs=None, ignore=()):
    """Reads a CSV with a header.

    label: the column to predict. inputs: the feature columns; without it, all columns right of the label's, except
    'time' and those to ignore: name further columns of the label file there, or the model learns from the answer.
    """
    with open(path, newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    if len(lines) < 2:
        raise TableError(f"{path} has no rows")
    header, rows = lines[0], lines[1:]
    if label not in header:
        raise TableError(f"{path} has no column '{label}'; it has: {', '.join(header)}")
    if inputs is None:
        inputs = [name for name in header[header.index(label) + 1:] if name != "time" and name not in ignore]
    unknown = [name for name in inputs if name not in header]
    if unknown or not inputs:
        raise TableError(f"{path} has no column {unknown}" if unknown else f"no feature column right of '{label}' in {path}")
    ragged = next((number for number, row in enumerate(rows, 2) if len(row) != len(header)), None)
    if ragged:
        raise TableError(f"{path}:{ragged}: the row's number of fields differs from the header's")

    features = np.column_stack([_numbers(path, name, rows, header) for name in inputs]).astype(np.float32)
    labels = _numbers(path, label, rows, header)
    if not np.isin(labels, (0.0, 1.0)).all():
        raise TableError(f"{path}: '{label}' must be 0 or 1 (or false, true) in every row")
    times = None
    if "time" in header:
        column = header.index("time")
        times = np.array([_time(path, number, row[column]) for number, row in enumerate(rows, 2)])
    return Table(labels, features, inputs, times)


_WORDS = {"": float("nan"), "true": 1.0, "false": 0.0}


def _numbers(path, name, rows, header):
    column = header.index(name)
    values = np.empty(len(rows))
    for index, row in enumerate(rows):
        text = row[column]
        try:
            values[index] = _WORDS[text.lower()] if text.lower() in _WORDS else float(text)
        except ValueError:
            raise TableError(
                f"{path}:{index + 2}: '{name}' is '{text}', no number; leave the column out with --ignore {name}") from None
    return values


def _time(path, number, text):
    """Epoch seconds of ISO 8601, or of epoch milliseconds as the engine writes event times."""
    try:
        if text.lstrip("-").isdigit():
            return int(text) / 1000
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
    except ValueError:
        raise TableError(f"{path}:{number}: time '{text}' is neither ISO 8601 nor epoch milliseconds") from None


def iso(seconds):
    """ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
