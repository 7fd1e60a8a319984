"""The card's front matter: what the Hugging Face Hub and `datasets` read of a dataset before its rows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import yaml

from ecinstruct_build.locales import language_of
from ecinstruct_build.publish.card_info import CardInfo
from ecinstruct_build.publish.licences import LICENCE, SPDX
from ecinstruct_build.splits import PUBLISHED_SPLITS

_CATEGORIES = {
    "answer_generation": ("question-answering",),
    "answerability_prediction": ("question-answering", "text-classification"),
    "multiclass_product_classification": ("text-classification",),
    "product_matching": ("text-classification",),
    "product_relation_prediction": ("text-classification",),
    "product_substitute_identification": ("text-classification",),
    "query_product_ranking": ("text-ranking",),
    "sentiment_analysis": ("text-classification",),
    "sequential_recommendation": ("multiple-choice",),
}
_FREE_TEXT = ("pretty_name",)
_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))


def front_matter_text(info: CardInfo) -> str:
    """Return the front matter in YAML, a line for each value at least, as `huggingface_hub` would write it."""
    # libyaml is several times as quick, and writes names alike; in free text it would escape emoji.
    quick = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return "".join(
        yaml.dump(
            {key: value}, Dumper=yaml.SafeDumper if key in _FREE_TEXT else quick, sort_keys=False, allow_unicode=True
        )
        for key, value in front_matter(info).items()
    )


def front_matter(info: CardInfo) -> dict[str, Any]:
    """Return the front matter as YAML values, in order.

    The layout ``huggingface`` gives a config for all tasks, ``default``, and one for each; ``ecinstruct`` gives
    ``default`` alone. A licence that the Hub knows and all sources share is the dataset's, else it is "other".
    """
    shards = info.manifest["shards"]
    rows = sum(shard["rows"] for shard in shards)
    configs = _configs(info, shards)
    licence = licence_of([source.licence for source in info.sources], generated=info.generated)
    return {
        **({"language": found} if (found := languages(info.samples)) else {}),
        "license": licence.pop("license"),
        "size_categories": [next((name for limit, name in _SIZES if rows < limit), "10M<n<100M")],
        "task_categories": task_categories(info.samples),
        "pretty_name": info.title,
        **licence,
        "tags": tags(info),
        "configs": [files for files, _ in configs],
        "dataset_info": [description for _, description in configs],
    }


def task_categories(tasks: Iterable[str]) -> list[str]:
    """Return what the Hub calls the kinds of task; instructions are answered by generating text, whatever they ask."""
    found = {kind for task in tasks for kind in _CATEGORIES.get(task, ())}
    return ["text-generation", *sorted(found)]


def tags(info: CardInfo) -> list[str]:
    """Return words to find the dataset by."""
    return [
        "e-commerce",
        "ecinstruct",
        "instruction-tuning",
        *(["synthetic"] if info.generated else []),
        *(["ids-only"] if info.restricted else []),
    ]


def languages(samples: Mapping[str, pa.Table]) -> list[str]:
    """Return the languages of the rows by their locales, as ISO 639-1 codes, sorted."""
    locales = {locale for table in samples.values() for locale in table["locale"].unique().to_pylist()}
    return sorted({language for locale in locales if (language := language_of(locale))})


def licence_of(licences: Sequence[str], *, generated: bool) -> dict[str, str]:
    """Return the dataset's licence as the Hub wants it said."""
    stated = {"apache-2.0"} if generated else {licence.lower() for licence in licences}
    if len(stated) == 1 and (licence := next(iter(stated))) in map(str.lower, SPDX):
        return {"license": licence}
    return {"license": "other", "license_name": "as-each-source", "license_link": LICENCE}


def _configs(info: CardInfo, shards: Sequence[Mapping[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return each config with its description: all tasks together first, then each task that has shards."""
    if info.manifest["layout"] == "ecinstruct":
        return [_config("default", "data/{split}-*.parquet", shards, info.schema)]
    by_task = {task: [shard for shard in shards if shard["task"] == task] for task in sorted(info.samples)}
    return [
        _config("default", "data/*/{split}-*.parquet", shards, info.schema),
        *(_config(task, f"data/{task}/{{split}}-*.parquet", own, info.schema) for task, own in by_task.items() if own),
    ]


def _config(
    name: str, glob: str, shards: Sequence[Mapping[str, Any]], schema: pa.Schema
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return which files the config reads, and what `datasets` shall find in them."""
    rows, sizes = Counter[str](), Counter[str]()
    for shard in shards:
        rows[shard["split"]] += shard["rows"]
        sizes[shard["split"]] += shard["text_bytes"]
    splits = [split for split in PUBLISHED_SPLITS if rows[split]]
    files = {
        "config_name": name,
        "data_files": [{"split": split, "path": glob.format(split=split)} for split in splits],
    }
    description = {
        "config_name": name,
        "features": [_feature(field) for field in schema],
        "splits": [{"name": split, "num_bytes": sizes[split], "num_examples": rows[split]} for split in splits],
        "download_size": sum(shard["bytes"] for shard in shards),
        "dataset_size": sizes.total(),
    }
    return files, description


def _feature(field: pa.Field) -> dict[str, str]:
    if isinstance(field.type, pa.ListType):
        return {"name": field.name, "sequence": str(field.type.value_type)}
    return {"name": field.name, "dtype": str(field.type)}
