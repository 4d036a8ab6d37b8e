#!/usr/bin/python3
"""Writes the labels of the repurchase model: who of a shop's customers buys again within 30 days?

    models/repurchase_labels.py online-retail.csv.gz > labels.csv

One row per customer and first of the month (March to November 2011), from the customer's first purchase on: customer,time,bought. The time is what
`streamengine features --at labels.csv` computes the features at; purchases at or after it make the label, never the features.
"""

import csv
import datetime
import gzip
import sys


def main(path):
    bought = {}
    with gzip.open(path, "rt", encoding="utf-8", newline="") if path.endswith(".gz") else open(path, encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["CustomerID"] and int(row["Quantity"]) > 0:
                bought.setdefault(row["CustomerID"], set()).add(datetime.datetime.fromisoformat(row["InvoiceDate"]))
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["customer", "time", "bought"])
    for month in range(3, 12):
        at = datetime.datetime(2011, month, 1)
        until = at + datetime.timedelta(days=30)
        for customer in sorted(bought):
            times = bought[customer]
            if min(times) < at:
                out.writerow([customer, at.strftime("%Y-%m-%dT%H:%M:%SZ"), int(any(at <= t < until for t in times))])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
