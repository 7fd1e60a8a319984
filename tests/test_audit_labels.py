"""Labels of held-out rows that training does not know."""

from pathlib import Path

import pytest
from audit_rows import Made, Row, clean_dataset, write_shards

from ecinstruct_build.audit.limits import AuditLimits
from ecinstruct_build.audit.run import audit_dataset

TASK = "Answerability_Prediction"
SIZES = {"train": 60, "validation": 8, "test": 10}


def faults(made: Made, folder: Path, kind: str) -> dict[str, int]:
    found = audit_dataset(write_shards(made, folder)).faults
    return {one.role: one.rows for one in found if one.kind == kind and one.rows}


@pytest.fixture
def made() -> Made:
    return clean_dataset(SIZES, tasks=[TASK, "Sentiment_Analysis", "Attribute_Value_Extraction"])


def rows(made: Made, role: str) -> list[Row]:
    return made.rows[TASK, role]


def test_training_that_says_something_else_is_found(made: Made, tmp_path: Path) -> None:
    for row in rows(made, "train"):
        row["output"] = "maybe"
    audit = audit_dataset(write_shards(made, tmp_path))
    assert [(one.setting, one.found) for one in audit.exceeded] == [("unknown_labels", 18)]
    assert str(audit.exceeded[0]).startswith("rows with an unknown label: 18 ")
    assert faults(made, tmp_path, "unknown label") == {"validation": 8, "test": 10}
    assert audit_dataset(tmp_path, AuditLimits(unknown_labels=18)).passed


def test_a_single_answer_that_training_does_not_have_is_found(made: Made, tmp_path: Path) -> None:
    rows(made, "test")[3]["output"] = "no idea"
    audit = audit_dataset(write_shards(made, tmp_path))
    listed = [row for one in audit.faults if one.kind == "unknown label" for row, _ in one.listed]
    assert listed == [rows(made, "test")[3]["example_id"]]
    assert not audit.passed


def test_case_and_spaces_make_no_label(made: Made, tmp_path: Path) -> None:
    for row in rows(made, "test"):
        row["output"] = f" {row['output'].upper()}\n"
    assert audit_dataset(write_shards(made, tmp_path)).passed


def test_free_answers_are_no_labels(made: Made, tmp_path: Path) -> None:
    for role in SIZES:
        for number, row in enumerate(rows(made, role)):
            row["output"] = f"answer {role} {number // 10}"
    assert audit_dataset(write_shards(made, tmp_path)).passed


def test_an_empty_answer_counts_as_empty_only(made: Made, tmp_path: Path) -> None:
    rows(made, "test")[0]["output"] = ""
    assert [one.setting for one in audit_dataset(write_shards(made, tmp_path)).exceeded] == ["empties"]


def test_a_label_of_training_only_is_reported(made: Made, tmp_path: Path) -> None:
    for row in rows(made, "train")[:9]:
        row["output"] = "maybe"
    assert faults(made, tmp_path, "label of training only") == {"train": 9}
    audit = audit_dataset(tmp_path)
    assert audit.passed
    strict = audit_dataset(tmp_path, AuditLimits(training_labels=0))
    assert [str(one).split(":")[0] for one in strict.exceeded] == ["rows with a label of training only"]
