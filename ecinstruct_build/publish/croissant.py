"""Croissant metadata: the dataset as machines that know nothing of it want it described (JSON-LD, version 1.0)."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from ecinstruct_build.publish.card_info import CardInfo
from ecinstruct_build.publish.card_origin import bibtex
from ecinstruct_build.publish.columns import COLUMN_MEANINGS
from ecinstruct_build.publish.front_matter import languages, tags
from ecinstruct_build.publish.ids_only import IDS_MEANINGS
from ecinstruct_build.publish.licences import SPDX
from ecinstruct_build.splits import PUBLISHED_SPLITS

CROISSANT = "croissant.json"

_PARQUET = "application/x-parquet"
_SPLIT_FIELD = "published_split"
_SPLIT_RECORDS = "splits"
_SPLIT_OF_FILE = r"(?:data/(?:[^/]+/)?)?([a-z_]+)(?:-\d+-of-\d+\.parquet)?$"  # readers apply it to its own result, too
_CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The names that Croissant 1.0 gives to its terms."""


def write_croissant(folder: Path, info: CardInfo) -> None:
    """Write ``croissant.json`` into a dataset's folder; its paths are relative to it."""
    text = json.dumps(croissant(info), indent=2, ensure_ascii=False) + "\n"
    (folder / CROISSANT).write_text(text, encoding="utf-8")


def croissant(info: CardInfo) -> dict[str, Any]:
    """Return the metadata as JSON-LD.

    There is a record set for all tasks together, ``default``, and one for each task, as there are configs on the card;
    a record's split, as `datasets` calls it, is its field ``published_split``. There is no date of publication: the
    same dataset has the same metadata. Its version is the tool's, followed by a digest of the shards.
    """
    sets = _file_sets(info)
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": info.title,
        "description": info.description or f"{info.title}: an instruction dataset for e-commerce language models.",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "version": _version(info),
        "license": _licences(info),
        "citeAs": bibtex(info),
        "inLanguage": languages(info.samples),
        "keywords": tags(info),
        "isBasedOn": [
            {
                "@type": "sc:CreativeWork",
                "name": source.title,
                **({"url": source.homepage} if source.homepage else {}),
                "license": source.licence,
            }
            for source in sorted(info.sources, key=lambda source: source.name)
        ],
        "distribution": [*_file_objects(info), *(_file_set(name, glob) for name, glob in sets.items())],
        "recordSet": [_splits(info), *(_record_set(info, name) for name in sets)],
    }


def _version(info: CardInfo) -> str:
    shards = "".join(shard["sha256"] for shard in info.manifest["shards"])
    tool = info.manifest["versions"]["ecinstruct-build"]
    return f"{tool}+{hashlib.sha256(shards.encode()).hexdigest()[:12]}"


def _licences(info: CardInfo) -> list[str]:
    if info.generated:
        return [_licence_url("Apache-2.0", "")]
    return sorted({_licence_url(source.licence, source.homepage) or source.licence for source in info.sources})


def _licence_url(licence: str, homepage: str) -> str:
    """Return where the terms stand: at SPDX where they have a name there, else at the corpus's home."""
    return f"https://spdx.org/licenses/{licence}.html" if licence in SPDX else homepage


def _file_sets(info: CardInfo) -> dict[str, str]:
    """Return the files of each config as a glob."""
    if info.manifest["layout"] == "ecinstruct":
        return {"default": "data/*.parquet"}
    tasks = sorted({shard["task"] for shard in info.manifest["shards"]})
    return {"default": "data/*/*.parquet", **{task: f"data/{task}/*.parquet" for task in tasks}}


def _file_objects(info: CardInfo) -> list[dict[str, Any]]:
    return [
        {
            "@type": "cr:FileObject",
            "@id": shard["path"],
            "name": shard["path"],
            "contentUrl": shard["path"],
            "contentSize": f"{shard['bytes']} B",
            "encodingFormat": _PARQUET,
            "sha256": shard["sha256"],
        }
        for shard in info.manifest["shards"]
    ]


def _file_set(name: str, glob: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"{name}-files",
        "name": f"{name}-files",
        "description": "The shards of all tasks." if name == "default" else f"The shards of {name}.",
        "encodingFormat": _PARQUET,
        "includes": glob,
    }


def _splits(info: CardInfo) -> dict[str, Any]:
    present = {shard["split"] for shard in info.manifest["shards"]}
    names = [split for split in PUBLISHED_SPLITS if split in present]
    return {
        "@type": "cr:RecordSet",
        "@id": _SPLIT_RECORDS,
        "name": _SPLIT_RECORDS,
        "description": "The splits of the dataset.",
        "dataType": "cr:Split",
        "key": {"@id": f"{_SPLIT_RECORDS}/name"},
        "field": [{"@type": "cr:Field", "@id": f"{_SPLIT_RECORDS}/name", "name": "name", "dataType": "sc:Text"}],
        "data": [{f"{_SPLIT_RECORDS}/name": name} for name in names],
    }


def _record_set(info: CardInfo, name: str) -> dict[str, Any]:
    about = "Every row of every task." if name == "default" else info.tasks.get(name, "")
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": about,
        "field": [_split_field(name), *(_field(name, field, info) for field in info.schema)],
    }


def _split_field(name: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{name}/{_SPLIT_FIELD}",
        "name": _SPLIT_FIELD,
        "description": "The split that the row is part of, as its file's name says.",
        "dataType": "sc:Text",
        "source": {
            "fileSet": {"@id": f"{name}-files"},
            "extract": {"fileProperty": "fullpath"},
            "transform": {"regex": _SPLIT_OF_FILE},
        },
        "references": {"field": {"@id": f"{_SPLIT_RECORDS}/name"}},
    }


def _field(name: str, field: pa.Field, info: CardInfo) -> dict[str, Any]:
    meanings = {**COLUMN_MEANINGS, **(IDS_MEANINGS if info.restricted else {})}
    return {
        "@type": "cr:Field",
        "@id": f"{name}/{field.name}",
        "name": field.name,
        "description": meanings[field.name],
        "dataType": "sc:Text",
        **({"repeated": True} if isinstance(field.type, pa.ListType) else {}),
        "source": {"fileSet": {"@id": f"{name}-files"}, "extract": {"column": field.name}},
    }
