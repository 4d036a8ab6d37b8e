"""Reads hex records (header of 5 bytes, then Avro) from standard input by a schema file, and prints them as one JSON array."""
import io
import json
import sys

import avro.io
import avro.schema


def plain(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value.timestamp() * 1000 if hasattr(value, "timestamp") else value


with open(sys.argv[1], encoding="utf-8") as file:
    reader = avro.io.DatumReader(avro.schema.parse(file.read()))
records = []
for line in sys.stdin.read().split():
    data = bytes.fromhex(line)
    stream = io.BytesIO(data[5:])
    record = plain(reader.read(avro.io.BinaryDecoder(stream)))
    records.append({"id": int.from_bytes(data[1:5], "big"), "magic": data[0], "left": len(stream.read()), "record": record})
json.dump(records, sys.stdout)
