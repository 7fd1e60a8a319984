"""A sample as Label Studio takes it: tasks to import, the labelling configuration, and its JSON export back."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from ecinstruct_build.errors import UserError
from ecinstruct_build.review.exchange.guidelines import guideline_book
from ecinstruct_build.review.exchange.matching import Returned
from ecinstruct_build.review.sample import ReviewItem, ReviewSample
from ecinstruct_build.review.verdicts import OTHER, VERDICTS, verdict

VERDICT, NOTE = "verdict", "note"
"""The names of the controls in the configuration."""

_NOTE_ON_OTHER = "note_other"  # the control of the note that the verdict "other" needs

_TEXTS = (
    ("instruction", "Instruction"),
    ("few_shot_example", "Shown first"),
    ("input", "Input"),
    ("options", "Options"),
    ("output", "Output"),
)


def write_label_studio(sample: ReviewSample, items: Sequence[ReviewItem], path: Path) -> None:
    """Write the tasks and, beside them under the same name with ``.xml``, the labelling configuration.

    The name of whoever judges comes from their account there, so none is written.
    """
    book = {task: guideline_book([task]) for task in {item.task for item in items}}
    tasks = [{"data": _data(item, sample, book[item.task])} for item in items]
    path.write_text(json.dumps(tasks, indent=1) + "\n", encoding="utf-8", newline="\n")
    shown = any(item.content.get("few_shot_example") for item in items)
    path.with_suffix(".xml").write_text(labelling_config(few_shot=shown), encoding="utf-8", newline="\n")


def labelling_config(*, few_shot: bool = False) -> str:
    """Return the configuration: the texts of a row, the verdicts with their keys, and a note.

    Texts are shown as they are; without ``valueType`` one that looks like an address could be fetched.

    Parameters
    ----------
    few_shot
        Whether rows show an example first.
    """
    view = ET.Element("View")
    panel = ET.SubElement(ET.SubElement(view, "Collapse", bordered="true"), "Panel", value="Guideline")
    _text(panel, "guideline")
    for name, title in _TEXTS:
        if name != "few_shot_example" or few_shot:
            ET.SubElement(view, "Header", value=title, size="5")
            _text(view, name)
    ET.SubElement(view, "Header", value="Verdict", size="5")
    choices = ET.SubElement(
        view,
        "Choices",
        name=VERDICT,
        toName="output",
        choice="single-radio",
        required="true",
        requiredMessage="Choose a verdict.",
    )
    for one in VERDICTS:
        ET.SubElement(choices, "Choice", value=one.label, hotkey=one.key, hint=one.meaning)
    on_other = {"whenTagName": VERDICT, "whenChoiceValue": verdict(OTHER).label}
    _note(ET.SubElement(view, "View", {"visibleWhen": "choice-unselected", **on_other}), NOTE, required=False)
    _note(ET.SubElement(view, "View", {"visibleWhen": "choice-selected", **on_other}), _NOTE_ON_OTHER, required=True)
    ET.indent(view)
    return ET.tostring(view, encoding="unicode") + "\n"


def read_label_studio(value: Any, origin: str) -> list[Returned]:
    """Read a JSON export: what each person submitted of each task; what was skipped counts as not judged.

    Parameters
    ----------
    value
        The parsed JSON.
    origin
        The file's name, for messages.

    Raises
    ------
    UserError
        If it is not built as such an export is.
    """
    tasks = value if isinstance(value, list) else [value]
    found = []
    for place, task in enumerate(tasks, start=1):
        if not isinstance(task, Mapping) or not isinstance(task.get("data"), Mapping):
            raise UserError(_no_export(origin))
        annotations = task.get("annotations", task.get("completions"))
        if not isinstance(annotations, list) or not all(isinstance(one, Mapping) for one in annotations):
            raise UserError(_no_export(origin))
        named = task["data"].get("number")
        where = f"task {place}" if named is None else f"the task of item {str(named)[:20]}"
        submitted = [one for one in annotations if not (one.get("was_cancelled") or one.get("skipped"))]
        found += [_returned(where, task["data"], one) for one in submitted]
    return found


def _data(item: ReviewItem, sample: ReviewSample, guideline: str) -> dict[str, Any]:
    return {
        "number": item.number,
        "row": item.row,
        "sample": sample.sample_id,
        "task": item.task,
        "split": item.split,
        "guideline": guideline,
        **{name: item.content.get(name, "") for name, _ in _TEXTS},
    }


def _text(parent: ET.Element, name: str) -> None:
    ET.SubElement(parent, "Text", name=name, value=f"${name}", valueType="text")


def _note(parent: ET.Element, name: str, *, required: bool) -> None:
    ET.SubElement(
        parent,
        "TextArea",
        name=name,
        toName="output",
        rows="2",
        maxSubmissions="1",
        placeholder="What is wrong?" if required else "A note, if there is something to say",
        required=str(required).lower(),
        requiredMessage="Say what is wrong.",
    )


def _returned(place: str, data: Mapping[str, Any], annotation: Mapping[str, Any]) -> Returned:
    person = annotation.get("completed_by")
    name = person.get("email") or "" if isinstance(person, Mapping) else ""
    key = person.get("id") if isinstance(person, Mapping) else person
    seconds = annotation.get("lead_time")
    return Returned(
        place=place,
        sample_id=str(data.get("sample", "")),
        number=str(data.get("number", "")),
        row=str(data.get("row", "")),
        verdict=" and ".join(_values(annotation, VERDICT, "choices")),
        note="\n".join([*_values(annotation, NOTE, "text"), *_values(annotation, _NOTE_ON_OTHER, "text")]),
        annotator=str(name or ("" if key is None else key)),
        anonymous=not name and key is not None,
        seconds=_positive(seconds),
        answered_at=str(annotation.get("updated_at") or annotation.get("created_at") or ""),
    )


def _values(annotation: Mapping[str, Any], control: str, kind: str) -> list[str]:
    """Return what was chosen or written in a control; one value may come as a text or as a list of one."""
    result = annotation.get("result")
    found: list[str] = []
    for region in result if isinstance(result, list) else []:
        if isinstance(region, Mapping) and region.get("from_name") == control:
            value = region.get("value")
            said = value.get(kind) if isinstance(value, Mapping) else None
            found += [str(one) for one in (said if isinstance(said, list) else [said]) if one is not None]
    return found


def _positive(seconds: Any) -> float:
    plain = isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 <= seconds < 1e7
    return float(seconds) if plain else 0.0


def _no_export(origin: str) -> str:
    return (
        f"The file {origin} is not Label Studio's JSON export: a list of tasks with 'data' and 'annotations'. Export "
        "the project as 'JSON' (not JSON-MIN or CSV) and import that. Nothing was taken in."
    )
