"""Hand a sample over in a format of people's choice, and take their verdicts back."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecinstruct_build.errors import UserError, did_you_mean
from ecinstruct_build.review.desk import Answer
from ecinstruct_build.review.exchange.argilla import RECORDS, read_argilla, write_argilla
from ecinstruct_build.review.exchange.label_studio import read_label_studio, write_label_studio
from ecinstruct_build.review.exchange.matching import Returned, answers_of
from ecinstruct_build.review.exchange.parts import WHOLE, Part, items_of
from ecinstruct_build.review.exchange.tables import read_csv, write_csv, write_guideline
from ecinstruct_build.review.exchange.workbook import read_xlsx, write_xlsx
from ecinstruct_build.review.sample import ReviewItem, ReviewSample

FORMATS = ("xlsx", "csv", "label-studio", "argilla")
"""What a sample is handed over in."""

_SUFFIXES = {".xlsx": "xlsx", ".csv": "csv"}
_BYTES = 512 * 2**20  # of a file that is read


@dataclass(frozen=True)
class Exported:
    """What was handed over.

    Attributes
    ----------
    items
        How many items.
    files
        The files that were written, or the folder; the one that holds the items first.
    """

    items: int
    files: tuple[Path, ...]


def export_sample(sample: ReviewSample, path: Path, file_format: str | None = None, *, part: Part = WHOLE) -> Exported:
    """Write a sample, or a part of it, for people who judge elsewhere.

    Nothing is written over: the file may hold what somebody filled in.

    Parameters
    ----------
    sample
        What is to be judged.
    path
        The file to write; for ``argilla`` a folder. Label Studio's configuration comes beside it as ``.xml``, the
        guideline of a CSV file as ``.guideline.md``.
    file_format
        One of `FORMATS`; None = by the file's ending.
    part
        Which items, and for whom.

    Raises
    ------
    UserError
        If the format is unknown, the part holds nothing, the folder to write in is not there, something of that name is
        there already, or it cannot be written.
    """
    name = _format_to_write(path, file_format)
    items = items_of(sample, part)
    if not path.parent.is_dir():
        raise UserError(f"There is no folder '{path.parent}'; make it first, or name another place.")
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.writing-") as folder:
            made = Path(folder) / path.name
            _write(name, sample, items, part.annotator, made)
            for one in sorted(Path(folder).iterdir()):
                if (path.parent / one.name).exists():
                    raise UserError(
                        f"'{path.parent / one.name}' is there already and may hold verdicts; choose another name."
                    )
            names = [one.name for one in sorted(Path(folder).iterdir())]
            for written in names:
                os.rename(Path(folder) / written, path.parent / written)  # noqa: PTH104 - of folders, too
    except OSError as error:
        raise UserError(f"The sample cannot be written to '{path}': {error.strerror or error}.") from error
    beside = tuple(path.parent / written for written in names if written != path.name)
    return Exported(len(items), (path, *beside))


def import_answers(
    sample: ReviewSample, path: Path, file_format: str | None = None, annotator: str = ""
) -> list[Answer]:
    """Read the verdicts that came back in a file; all that are in it, or none.

    Parameters
    ----------
    sample
        The sample that was handed over.
    path
        The file; for ``argilla`` also the folder of a dataset.
    file_format
        One of `FORMATS`; None = by what it is.
    annotator
        Whose verdicts they are where the file does not say, or says it by a number only.

    Returns
    -------
    list of Answer
        By number and annotator; ``answered_at`` is "" where the file does not say when.

    Raises
    ------
    UserError
        If the file cannot be read, is damaged or empty, or anything in it does not match the sample: a row of another
        sample, an unknown item, another row's digest, an unknown verdict, "other" without a note, an item that one
        person judged twice. Several problems are told together.
    """
    if file_format is not None:
        _known(file_format)
    if not path.exists():
        raise UserError(f"There is no file '{path}'.")
    try:
        returned = _read(path, file_format)
    except OSError as error:
        raise UserError(f"The file '{path}' cannot be read: {error.strerror or error}.") from error
    return answers_of(sample, returned, annotator.strip(), path.name)


def _write(name: str, sample: ReviewSample, items: list[ReviewItem], annotator: str, path: Path) -> None:
    if name == "xlsx":
        write_xlsx(sample, items, annotator, path)
    elif name == "csv":
        write_csv(sample, items, annotator, path)
        write_guideline(items, path.with_suffix(".guideline.md"))
    elif name == "label-studio":
        write_label_studio(sample, items, path)
    else:
        write_argilla(sample, items, path)


def _read(path: Path, file_format: str | None) -> list[Returned]:
    if path.is_dir():
        if file_format not in (None, "argilla") or not (path / RECORDS).is_file():
            raise UserError(f"'{path}' is a folder, and not one of an Argilla dataset (it holds no {RECORDS}).")
        path, file_format = path / RECORDS, "argilla"
    size = path.stat().st_size
    if not size:
        raise UserError(f"The file {path.name} is empty. Nothing was taken in.")
    if size > _BYTES:
        raise UserError(f"The file {path.name} is larger than {_BYTES // 2**20} MiB; it is not read.")
    name = file_format or _format_of(path)
    if name == "xlsx":
        return read_xlsx(path)
    if name == "csv":
        return read_csv(path)
    value = _parsed(path)
    if name == "label-studio" or (name == "json" and _has_tasks(value)):
        return read_label_studio(value, path.name)
    return read_argilla(value, path.name)


def _parsed(path: Path) -> Any:
    """Return a file's JSON, or its lines of JSON as a list."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        try:
            return json.loads(text)
        except ValueError:
            lines = [line for line in text.split("\n") if line.strip()]
            if len(lines) < 2:
                raise
            return [json.loads(line) for line in lines]
    except (ValueError, RecursionError) as error:
        raise UserError(f"The file {path.name} is no JSON, or is cut short. Export it again.") from error


def _has_tasks(value: Any) -> bool:
    ones = value if isinstance(value, list) else [value]
    return any(isinstance(one, Mapping) and ("data" in one or "annotations" in one) for one in ones)


def _known(name: str) -> str:
    if name not in FORMATS:
        raise UserError(f"There is no format '{name}'.{did_you_mean(name, FORMATS)} Known: {', '.join(FORMATS)}.")
    return name


def _format_to_write(path: Path, named: str | None) -> str:
    if named is not None:
        return _known(named)
    if path.suffix.lower() in _SUFFIXES:
        return _SUFFIXES[path.suffix.lower()]
    raise UserError(
        f"The ending of '{path.name}' does not say in which format the sample is to be handed over. End it in .xlsx or "
        f".csv, or name the format: {', '.join(FORMATS)}."
    )


def _format_of(path: Path) -> str:
    """Return the format of a file by its ending, ``json`` for those that are told apart by what is in them."""
    suffix = path.suffix.lower()
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    if suffix in (".json", ".jsonl"):
        return "json"
    if suffix in (".txt", ".tsv"):
        return "csv"
    raise UserError(f"The ending of '{path.name}' does not say what it is; name the format: {', '.join(FORMATS)}.")
