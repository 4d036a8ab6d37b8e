"""Reads what the C# codec wrote and writes it again, by Apache Avro's Python library: the other side of PythonAvroTests.

For each <n>.avro in the folder: <n>.canonical takes the schema's canonical form, <n>.back.avro the same values (deflate), and, where there is
<n>.reader.avsc, <n>.resolved.avro the values as that schema reads them.
"""
import pathlib
import sys

import avro.datafile
import avro.io
import avro.schema


def write(path, schema, values):
    with avro.datafile.DataFileWriter(open(path, "wb"), avro.io.DatumWriter(), schema, codec="deflate") as out:
        for value in values:
            out.append(value)


def main(folder):
    for source in sorted(pathlib.Path(folder).glob("*.avro")):
        with avro.datafile.DataFileReader(open(source, "rb"), avro.io.DatumReader()) as reader:
            schema = avro.schema.parse(reader.schema)
            values = list(reader)
        source.with_suffix(".canonical").write_text(schema.canonical_form)
        write(source.with_suffix(".back.avro"), schema, values)
        newer = source.with_suffix(".reader.avsc")
        if newer.exists():
            target = avro.schema.parse(newer.read_text())
            with avro.datafile.DataFileReader(open(source, "rb"), avro.io.DatumReader(None, target)) as reader:
                write(source.with_suffix(".resolved.avro"), target, list(reader))


main(sys.argv[1])
