#!/usr/bin/python3
"""Writes the labels of the demo's model: does the customer buy within 30 minutes of looking at a page with a placement?

    models/session_purchase_labels.py events.ndjson > labels.csv

One row for every second such page view: customer,time,bought. The time is a millisecond after the view, so that the view itself counts in the features.
"""

import csv
import datetime
import json
import sys


def main(path):
    views, purchases = [], {}
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:
                continue  # the shop breaks some records on purpose
            customer = event.get("customer_id")
            if not customer:
                continue
            if event["type"] == "purchase":
                purchases.setdefault(customer, []).append(event["event_time"])
            elif event["type"] == "page_view" and event.get("placement"):
                views.append((event["event_time"], customer))
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["customer", "time", "bought"])
    for time, customer in sorted(views)[::2]:
        at = datetime.datetime.fromtimestamp((time + 1) / 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        out.writerow([customer, at, int(any(time < t <= time + 1_800_000 for t in purchases.get(customer, ())))])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
