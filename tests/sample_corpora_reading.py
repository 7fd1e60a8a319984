"""Reading sample corpora back as upstream's users would, for the tests of the generator."""

import ast
import csv
import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ecinstruct_build.sample_corpora import LEDGER, Entry, Summary
from ecinstruct_build.sample_corpora.ledger import decode

CATEGORIES = (
    "Electronics",
    "Home_and_Kitchen",
    "Sports_and_Outdoors",
    "Tools_and_Home_Improvement",
    "Cell_Phones_and_Accessories",
)


def metadata_file(category: str) -> str:
    """Return a category's 2018 metadata file."""
    folder = "metaFiles2/" if category == "Cell_Phones_and_Accessories" else ""
    return f"{folder}meta_{category}.json.gz"


def raw_lines(path: Path) -> list[bytes]:
    """Return a file's lines without their newlines."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    assert content.endswith(b"\n")
    return content[:-1].split(b"\n")


def json_or_none(line: bytes) -> dict[str, Any] | None:
    """Return a record, or None where the line is not JSON in UTF-8."""
    try:
        record = json.loads(line.decode("utf-8"))
    except ValueError:
        return None
    assert isinstance(record, dict)
    return record


@dataclass(frozen=True)
class Corpora:
    """Generated corpora with what the generator said of them."""

    folder: Path
    summary: Summary

    @cached_property
    def ledger(self) -> list[Entry]:
        return decode((self.folder / LEDGER).read_bytes())

    @cached_property
    def _lines(self) -> dict[str, list[bytes]]:
        return {}

    @cached_property
    def _rows(self) -> dict[str, list[dict[str, Any]]]:
        return {}

    def planted(self, kind: str) -> list[Entry]:
        return [entry for entry in self.ledger if entry.kind == kind]

    def lines(self, source: str, file: str) -> list[bytes]:
        path = f"{source}/{file}"
        if path not in self._lines:
            self._lines[path] = raw_lines(self.folder / path)
        return self._lines[path]

    def line(self, entry: Entry) -> bytes:
        return self.lines(entry.source, entry.file)[entry.line - 1]

    def partner_line(self, entry: Entry) -> bytes:
        assert entry.partner is not None
        return self.lines(entry.source, entry.partner.file)[entry.partner.line - 1]

    def record(self, entry: Entry) -> dict[str, Any]:
        """Return the record that an entry points at, from whichever form its file has."""
        if entry.file.endswith(".parquet"):
            return self.rows(entry.source, entry.file)[entry.line - 1]
        if entry.source == "amazon_reviews_2014" and entry.file.startswith("meta_"):
            return dict(ast.literal_eval(self.line(entry).decode()))
        record = json_or_none(self.line(entry))
        assert record is not None, entry
        return record

    def rows(self, source: str, file: str) -> list[dict[str, Any]]:
        path = f"{source}/{file}"
        if path not in self._rows:
            self._rows[path] = pq.read_table(self.folder / path).to_pylist()
        return self._rows[path]

    def records(self, source: str, file: str) -> Iterator[dict[str, Any]]:
        """Yield the records that can be read and name a product."""
        for line in self.lines(source, file):
            record = json_or_none(line)
            if record is not None and ("asin" in record or "id" in record):
                yield record

    def reviews(self, category: str) -> list[dict[str, Any]]:
        found = self.records("amazon_reviews_2018", f"{category}_5.json.gz")
        return [record for record in found if isinstance(record["overall"], float)]

    def csv_rows(self, source: str, file: str) -> list[dict[str, str]]:
        text = (self.folder / source / file).read_bytes().decode("latin-1")
        return list(csv.DictReader(io.StringIO(text, newline="")))
