"""A sample as Argilla 2 takes it: a dataset's folder with settings and records, and records with responses back.

The folder is what Argilla writes with ``Dataset.to_disk`` and reads with ``Dataset.from_disk``; records come back from
``to_disk``, from ``records.to_json``, or as the flat records of ``records.to_list(flatten=True)`` written as JSON.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ecinstruct_build.errors import UserError
from ecinstruct_build.review.exchange.guidelines import guideline_book
from ecinstruct_build.review.exchange.matching import Returned
from ecinstruct_build.review.sample import ReviewItem, ReviewSample
from ecinstruct_build.review.verdicts import VERDICTS

RECORDS = "records.json"
SETTINGS = ".argilla/settings.json"
DATASET = ".argilla/dataset.json"
"""The files of a dataset's folder."""

VERDICT, NOTE = "verdict", "note"
"""The questions."""

_FIELDS = ("instruction", "few_shot_example", "input", "options", "output")
_REQUIRED = ("instruction", "input", "output")


def write_argilla(sample: ReviewSample, items: Sequence[ReviewItem], folder: Path) -> None:
    """Write the folder of a dataset.

    A record is done when two people have answered if all items are doubled, else when one has.
    """
    settings = argilla_settings(items)
    dataset = {
        "name": f"review-{sample.sample_id}",
        "status": "draft",
        "guidelines": settings["guidelines"],
        "allow_extra_metadata": False,
        "distribution": settings["distribution"],
    }
    (folder / SETTINGS).parent.mkdir(parents=True)
    for name, value in (
        (DATASET, dataset),
        (SETTINGS, settings),
        (RECORDS, [_record(item, sample) for item in items]),
    ):
        (folder / name).write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8", newline="\n")


def argilla_settings(items: Sequence[ReviewItem]) -> dict[str, Any]:
    """Return the settings of a dataset of some items, as ``argilla.Settings.from_json`` reads them."""
    options = [{"value": one.name, "text": one.label} for one in VERDICTS]
    return {
        "guidelines": guideline_book(sorted({item.task for item in items})),
        "fields": [_field(name) for name in _FIELDS],
        "questions": [
            {
                "name": VERDICT,
                "title": "Verdict",
                "description": "What is to be said of the row?",
                "required": True,
                "settings": {"type": "label_selection", "options": options, "visible_options": len(options)},
            },
            {
                "name": NOTE,
                "title": "Note",
                "description": "What is wrong; the verdict 'other' needs it.",
                "required": False,
                "settings": {"type": "text", "use_markdown": False},
            },
        ],
        "vectors": [],
        "metadata": [
            _metadata("number", "integer"),
            *(_metadata(name, "terms") for name in ("task", "split", "row", "sample")),
        ],
        "allow_extra_metadata": False,
        "distribution": {"strategy": "overlap", "min_submitted": 2 if all(one.doubled for one in items) else 1},
        "mapping": None,
    }


def read_argilla(value: Any, origin: str) -> list[Returned]:
    """Read records with responses, nested or flat.

    Flat records tell drafts and discarded responses from submitted ones, and only those are read; nested ones do not.

    Parameters
    ----------
    value
        The parsed JSON.
    origin
        The file's name, for messages.

    Raises
    ------
    UserError
        If it is no list of records.
    """
    if not isinstance(value, list) or not all(isinstance(record, Mapping) for record in value):
        raise UserError(_no_records(origin))
    if value and not any("responses" in record or f"{VERDICT}.responses" in record for record in value):
        raise UserError(_no_records(origin))
    return [one for place, record in enumerate(value, start=1) for one in _responses(record, f"record {place}")]


def _record(item: ReviewItem, sample: ReviewSample) -> dict[str, Any]:
    texts = {name: item.content.get(name, "") for name in _FIELDS}
    return {
        "id": f"{sample.sample_id}-{item.number}",
        "fields": {name: text for name, text in texts.items() if text or name in _REQUIRED},
        "metadata": {
            "number": item.number,
            "task": item.task,
            "split": item.split,
            "row": item.row,
            "sample": sample.sample_id,
        },
        "suggestions": {},
        "responses": {},
        "vectors": {},
    }


def _field(name: str) -> dict[str, Any]:
    title = "Shown first" if name == "few_shot_example" else name.capitalize()
    settings = {"type": "text", "use_markdown": False}
    return {"name": name, "title": title, "required": name in _REQUIRED, "settings": settings}


def _metadata(name: str, kind: str) -> dict[str, Any]:
    """Return a property that comes back with the records; digests are of no use to those who judge."""
    settings = {"type": kind, "values": None} if kind == "terms" else {"type": kind, "min": None, "max": None}
    return {"name": name, "title": name, "settings": settings, "visible_for_annotators": name in ("number", "task")}


def _responses(record: Mapping[str, Any], place: str) -> Iterator[Returned]:
    metadata = record.get("metadata") if isinstance(record.get("metadata"), Mapping) else record
    assert isinstance(metadata, Mapping)  # noqa: S101 - one of the two
    number = str(metadata.get("number", ""))
    notes = dict(_said(record, NOTE))
    verdicts = dict(_said(record, VERDICT))
    for user in dict.fromkeys([*verdicts, *notes]):
        yield Returned(
            place=f"the record of item {number[:20]}" if number else place,
            sample_id=str(metadata.get("sample", "")),
            number=number,
            row=str(metadata.get("row", "")),
            verdict=verdicts.get(user, ""),
            note=notes.get(user, ""),
            annotator=user,
            anonymous=bool(user),
        )


def _said(record: Mapping[str, Any], question: str) -> Iterator[tuple[str, str]]:
    """Yield who said what to a question."""
    responses = record.get("responses")
    nested = responses.get(question) if isinstance(responses, Mapping) else None
    for one in nested if isinstance(nested, list) else []:
        if isinstance(one, Mapping) and one.get("value") is not None and _is_submitted(one.get("status")):
            yield str(one.get("user_id") or ""), str(one["value"])
    values, users, states = (_listed(record, f"{question}.responses{part}") for part in ("", ".users", ".status"))
    for place, value in enumerate(values):
        if value is not None and _is_submitted(states[place] if place < len(states) else None):
            yield str(users[place] or "") if place < len(users) else "", str(value)


def _listed(record: Mapping[str, Any], key: str) -> list[Any]:
    value = record.get(key)
    return value if isinstance(value, list) else []


def _is_submitted(status: Any) -> bool:
    return status in (None, "submitted")


def _no_records(origin: str) -> str:
    return (
        f"The file {origin} holds no Argilla records: a list of records with 'responses', as "
        "'dataset.records.to_json(path)' writes it. Nothing was taken in."
    )
