"""Samples as Label Studio and Argilla take them, and their exports read back.

The structures below are those that label-studio-sdk 2.1 and argilla 2.8 validate, write and read.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from review_samples import review_item, review_sample

from ecinstruct_build.errors import UserError
from ecinstruct_build.review.desk import Answer
from ecinstruct_build.review.exchange.label_studio import labelling_config
from ecinstruct_build.review.exchange.parts import Part
from ecinstruct_build.review.exchange.records import export_sample, import_answers
from ecinstruct_build.review.sample import ReviewSample
from ecinstruct_build.review.verdicts import VERDICTS

SAMPLE = review_sample([review_item(number, doubled=number < 3) for number in range(1, 5)])
LABELS = {one.name: one.label for one in VERDICTS}

notes = st.text(max_size=30).map(str.strip)
said = st.tuples(st.sampled_from([one.name for one in VERDICTS]), notes).map(
    lambda pair: (pair[0], pair[1] or "it says so" if pair[0] == "other" else pair[1])
)
verdicts_of_two = st.dictionaries(st.tuples(st.integers(1, 4), st.sampled_from([7, 8])), said, min_size=1)

Verdicts = Mapping[tuple[int, int], tuple[str, str]]


def annotation(who: Any, verdict: str, note: str = "", **more: Any) -> dict[str, Any]:
    """Return an annotation as Label Studio exports it."""
    result = [
        {"id": "a", "from_name": "verdict", "to_name": "output", "type": "choices", "value": {"choices": [verdict]}}
    ]
    if note:
        control = "note_other" if verdict == "other" else "note"
        text = {"text": [note]}
        result.append({"id": "b", "from_name": control, "to_name": "output", "type": "textarea", "value": text})
    return {"id": 1, "completed_by": who, "result": result, "was_cancelled": False, "lead_time": 4.2, **more}


def label_studio_back(sample: ReviewSample, folder: Path, verdicts: Verdicts) -> Path:
    export_sample(sample, folder / "tasks.json", "label-studio")
    tasks = json.loads((folder / "tasks.json").read_text())
    exported = [
        {
            "id": 1000 + place,
            "data": task["data"],
            "annotations": [
                annotation(who, LABELS[verdict], note)
                for (number, who), (verdict, note) in verdicts.items()
                if number == task["data"]["number"]
            ],
            "predictions": [],
        }
        for place, task in enumerate(tasks)
    ]
    (folder / "back.json").write_text(json.dumps(exported))
    return folder / "back.json"


def argilla_back(sample: ReviewSample, folder: Path, verdicts: Verdicts, *, flat: bool) -> Path:
    export_sample(sample, folder / "dataset", "argilla")
    records = json.loads((folder / "dataset/records.json").read_text())
    for record in records:
        own = {who: said for (number, who), said in verdicts.items() if number == record["metadata"]["number"]}
        said = {
            "verdict": {who: verdict for who, (verdict, _) in own.items()},
            "note": {who: note for who, (_, note) in own.items() if note},
        }
        if flat:
            record.update(record.pop("metadata"), **record.pop("fields"))
            del record["responses"], record["suggestions"]
            for question, values in said.items():
                record[f"{question}.responses"] = list(values.values()) or None
                record[f"{question}.responses.users"] = [str(who) for who in values] or None
                record[f"{question}.responses.status"] = ["submitted"] * len(values) or None
        else:
            record["responses"] = {
                question: [{"value": value, "user_id": str(who)} for who, value in values.items()]
                for question, values in said.items()
                if values
            }
    (folder / "back.json").write_text(json.dumps(records))
    return folder / "back.json"


@given(verdicts=verdicts_of_two)
def test_what_is_judged_in_label_studio_comes_back(
    verdicts: dict[tuple[int, int], tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = label_studio_back(SAMPLE, tmp_path_factory.mktemp("tasks"), verdicts)
    assert import_answers(SAMPLE, path) == [
        Answer(number, f"user {who}", verdict, note, 4.2) for (number, who), (verdict, note) in sorted(verdicts.items())
    ]


@given(verdicts=verdicts_of_two, flat=st.booleans())
def test_what_is_judged_in_argilla_comes_back(
    verdicts: dict[tuple[int, int], tuple[str, str]], flat: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = argilla_back(SAMPLE, tmp_path_factory.mktemp("records"), verdicts, flat=flat)
    assert import_answers(SAMPLE, path) == [
        Answer(number, f"user {who}", verdict, note) for (number, who), (verdict, note) in sorted(verdicts.items())
    ]


def test_label_studio_gets_whole_texts_and_fetches_nothing(tmp_path: Path) -> None:
    hostile = "https://example.org/a.txt <script>alert(1)</script>\x00" + "x" * 50_000
    sample = review_sample([review_item(1, input=hostile), review_item(2, few_shot_example="Like this.")])
    assert export_sample(sample, tmp_path / "tasks.json", "label-studio").items == 2
    data = json.loads((tmp_path / "tasks.json").read_text())[0]["data"]
    assert data["input"] == hostile
    assert (data["number"], data["row"], data["sample"]) == (1, sample.items[0].row, sample.sample_id)
    assert "wrong answer" in data["guideline"]
    config = ET.fromstring((tmp_path / "tasks.xml").read_text())
    texts = {one.get("name"): one for one in config.iter("Text")}
    assert set(texts) == {"guideline", "instruction", "few_shot_example", "input", "options", "output"}
    assert all(one.get("valueType") == "text" and one.get("value") == f"${name}" for name, one in texts.items())


def test_the_configuration_offers_the_verdicts_and_names_what_is_there() -> None:
    config = ET.fromstring(labelling_config())
    choices = next(config.iter("Choices"))
    assert [(one.get("value"), one.get("hotkey")) for one in choices] == [(one.label, one.key) for one in VERDICTS]
    names = [one.get("name") for one in config.iter() if one.get("name")]
    assert len(names) == len(set(names))
    assert {one.get("toName") for one in config.iter() if one.get("toName")} <= set(names)
    assert {one.get("whenTagName") for one in config.iter() if one.get("whenTagName")} == {"verdict"}


def test_argilla_gets_a_dataset_of_its_own_form(tmp_path: Path) -> None:
    export_sample(SAMPLE, tmp_path / "review", "argilla", part=Part(doubled=True))
    settings = json.loads((tmp_path / "review/.argilla/settings.json").read_text())
    dataset = json.loads((tmp_path / "review/.argilla/dataset.json").read_text())
    records = json.loads((tmp_path / "review/records.json").read_text())
    assert dataset["name"] == "review-12e4567890123456"
    assert settings["distribution"] == {"strategy": "overlap", "min_submitted": 2}
    properties = [one["name"] for kind in ("fields", "questions", "metadata") for one in settings[kind]]
    assert len(properties) == len(set(properties))
    options = settings["questions"][0]["settings"]["options"]
    assert [one["value"] for one in options] == [one.name for one in VERDICTS]
    assert [record["metadata"]["number"] for record in records] == [1, 2]
    for record in records:
        assert set(record["fields"]) <= {one["name"] for one in settings["fields"]}
        assert {one["name"] for one in settings["fields"] if one["required"]} <= set(record["fields"])
        assert set(record["metadata"]) == {one["name"] for one in settings["metadata"]}


def test_an_annotator_may_be_named_for_one_person_but_not_for_two(tmp_path: Path) -> None:
    one = label_studio_back(SAMPLE, tmp_path, {(1, 7): ("good", ""), (2, 7): ("good", "")})
    assert {answer.annotator for answer in import_answers(SAMPLE, one, annotator="ann")} == {"ann"}
    (tmp_path / "two").mkdir()
    two = label_studio_back(SAMPLE, tmp_path / "two", {(1, 7): ("good", ""), (1, 8): ("good", "")})
    with pytest.raises(UserError, match=r"2 people judged it \(7, 8\), so they cannot all be 'ann'"):
        import_answers(SAMPLE, two, annotator="ann")


def changed(path: Path, change: Mapping[str, Any], where: str) -> Path:
    tasks = json.loads(path.read_text())
    tasks[0][where] = {**tasks[0][where], **change} if isinstance(tasks[0][where], dict) else [change]
    path.write_text(json.dumps(tasks))
    return path


@pytest.mark.parametrize(
    ("where", "change", "reason"),
    [
        ("data", {"sample": "abc"}, "is of the sample 'abc'"),
        ("data", {"number": 77}, "item '77', which the sample does not have"),
        ("data", {"row": "0"}, "item 1 but has another row's digest"),
        ("annotations", annotation(7, "perfect"), "the verdict 'perfect'"),
        ("annotations", annotation(7, "other"), "'other' without a note"),
        ("annotations", annotation(None, "good"), "does not say who judged"),
    ],
)
def test_an_export_that_does_not_match_is_refused(
    where: str, change: Mapping[str, Any], reason: str, tmp_path: Path
) -> None:
    path = label_studio_back(SAMPLE, tmp_path, {(1, 7): ("good", ""), (2, 7): ("good", "")})
    with pytest.raises(UserError, match=re.escape(reason)):
        import_answers(SAMPLE, changed(path, change, where))


def test_skipped_tasks_and_drafts_are_no_answers(tmp_path: Path) -> None:
    path = label_studio_back(SAMPLE, tmp_path, {(2, 7): ("good", "")})
    changed(path, annotation(7, "good", was_cancelled=True), "annotations")
    assert [one.number for one in import_answers(SAMPLE, path)] == [2]
    (tmp_path / "records").mkdir()
    flat = argilla_back(SAMPLE, tmp_path / "records", {(1, 7): ("good", ""), (2, 7): ("good", "")}, flat=True)
    records = json.loads(flat.read_text())
    records[0]["verdict.responses.status"] = ["draft"]
    flat.write_text("\n".join(json.dumps(record) for record in records))  # as lines, which is read, too
    assert [one.number for one in import_answers(SAMPLE, flat)] == [2]


def test_an_export_says_when_and_how_long(tmp_path: Path) -> None:
    path = label_studio_back(SAMPLE, tmp_path, {(1, 7): ("good", "")})
    person = {"id": 7, "email": "ann@example.org"}
    changed(path, annotation(person, "good", updated_at="2026-03-01T10:00:00.5+02:00"), "annotations")
    (answer,) = import_answers(SAMPLE, path)
    assert answer == Answer(1, "ann@example.org", "good", "", 4.2, "2026-03-01T08:00:00+00:00")


@pytest.mark.parametrize(
    ("content", "file_format", "reason"),
    [
        ("[{", None, "no JSON, or is cut short"),
        ("", None, "is empty"),
        ("[]", "label-studio", "holds no verdict"),
        ("[]", "argilla", "holds no verdict"),
        ("[" * 100_000, None, "no JSON"),
        ('{"a": 1}', "argilla", "holds no Argilla records"),
        ("[1, 2]", "label-studio", "is not Label Studio's JSON export"),
        ('[{"id": 1, "verdict": "good", "annotator": 1}]', "label-studio", "not JSON-MIN"),
        (
            '[{"data": {}, "annotations": [{"result": [3, {"from_name": "verdict", "value": 3}]}]}]',
            None,
            "holds no verdict",
        ),
        ('[{"data": {"number": NaN}, "annotations": [{"result": 3, "lead_time": "x"}]}]', None, "holds no verdict"),
        ("[]", "label_studio", "Did you mean 'label-studio'?"),
    ],
)
def test_a_file_that_is_no_export_is_refused(
    content: str, file_format: str | None, reason: str, tmp_path: Path
) -> None:
    (tmp_path / "back.json").write_text(content)
    with pytest.raises(UserError, match=re.escape(reason)):
        import_answers(SAMPLE, tmp_path / "back.json", file_format)


def test_a_format_that_the_name_does_not_say_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="name the format: xlsx, csv, label-studio, argilla"):
        export_sample(SAMPLE, tmp_path / "sample.json")
    with pytest.raises(UserError, match="The sample has no task 'sentiment'"):
        export_sample(SAMPLE, tmp_path / "a.csv", part=Part(task="sentiment"))
    with pytest.raises(UserError, match="The sample has no item 9"):
        export_sample(SAMPLE, tmp_path / "a.csv", part=Part(numbers=[1, 9]))
    assert list(tmp_path.iterdir()) == []
