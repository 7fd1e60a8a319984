"""Datasets in the original's columns, without any ids: what the audit reads out of their texts."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from audit_rows import PLANTED, sentence, title
from hypothesis import given
from hypothesis import strategies as st

from ecinstruct_build.audit.limits import AuditLimits
from ecinstruct_build.audit.result import Audit
from ecinstruct_build.audit.run import audit_dataset
from ecinstruct_build.audit.texts import option_texts, plain, recover

Row = dict[str, Any]

CLASSES = [
    "A: fits the query in full.",
    "B: fits it in part.",
    "C: goes well with it.",
    "D: has nothing to do with it.",
]


def row(task: str, split: str, number: int, **texts: Any) -> Row:
    return {
        "split": split,
        "task": task,
        "setting": "IND_Diverse_Instruction",
        "instruction": f"Do as usual, {number % 3}.",
        "input": "",
        "options": "",
        "output": "yes",
        "few_shot_example": "",
    } | texts


def history(split: str, number: int, chance: random.Random) -> Row:
    """A purchase history as the original prints it: a Python list of numbered titles."""
    names = [f"{title(chance, number)} {split}{place}" for place in range(3)]
    wrong = [f"{title(chance, number)} {split}{place}" for place in range(3, 5)]
    return row(
        "Sequential_Recommendation",
        split,
        number,
        input=str([f"{place}: {name}" for place, name in zip(("1st", "2nd", "3rd"), names, strict=True)]),
        options=str([f"{letter}: {name}" for letter, name in zip("AB", wrong, strict=True)]),
        output="AB"[number % 2],
    )


def searched(split: str, number: int, chance: random.Random) -> Row:
    found = {"query": f"{sentence(chance, 4)} {split}{number}", "product title": f"{title(chance, number)} {split}"}
    task = "Multiclass_Product_Classification"
    return row(task, split, number, input=json.dumps(found), options=json.dumps(CLASSES), output=CLASSES[number % 4])


def ranked(split: str, number: int, chance: random.Random) -> Row:
    products = [f"{letter}: {title(chance, number)} {split}{letter}" for letter in "ABC"]
    found = {"query": f"{sentence(chance, 4)} {split}{number}", "product list": products}
    return row("Query_Product_Ranking", split, number, input=json.dumps(found), output="B,A,C")


def related(split: str, number: int, chance: random.Random) -> Row:
    names = [f"{title(chance, number)} {split}{place}" for place in (1, 2)]
    text = f"Product 1: {names[0]}\nProduct 2: {names[1]}"
    return row("Product_Relation_Prediction", split, number, input=text, options=json.dumps(CLASSES), output="C")


def asked(split: str, number: int, chance: random.Random) -> Row:
    found = {"question": f"Is the {sentence(chance, 4)} {split}{number} fine?", "document": [sentence(chance, 15)]}
    return row("Answerability_Prediction", split, number, input=json.dumps(found), output=("yes", "no")[number % 2])


MAKERS: tuple[Callable[[str, int, random.Random], Row], ...] = (history, searched, ranked, related, asked)


def dataset() -> dict[str, list[Row]]:
    chance = random.Random(0)
    return {
        maker.__name__: [
            maker(split, number, chance)
            for split, size in (("train", 260), ("val", 20), ("test", 220))
            for number in range(size)
        ]
        for maker in MAKERS
    }


def write(rows: list[Row], path: Path) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    else:
        path.write_text(json.dumps(rows, indent=2), encoding="utf-8")
    return path


def shared(audit: Audit, kind: str) -> int:
    return sum(one.right_rows for one in audit.overlaps if one.kind == kind)


@pytest.fixture(scope="module")
def leaking() -> list[Row]:
    """Rows whose tests share a title, query or question with training, `PLANTED` of each form."""
    made = dataset()
    for name, change in (
        ("history", lambda train, test: train.update(input=str([eval_list(train)[0], eval_list(test)[1].upper()]))),
        ("searched", lambda train, test: swap(train, test, "query")),
        ("ranked", lambda train, test: swap(train, test, "product list")),
        (
            "related",
            lambda train, test: train.update(input=train["input"].split("\n")[0] + "\n" + test["input"].split("\n")[0]),
        ),
        ("asked", lambda train, test: swap(train, test, "question")),
    ):
        rows = made[name]
        tests = [one for one in rows if one["split"] == "test"]
        for number in range(PLANTED):
            change(rows[number], tests[number])
    return [one for rows in made.values() for one in rows]


def eval_list(one: Row) -> list[str]:
    return json.loads(one["input"].replace("'", '"'))


def swap(train: Row, test: Row, key: str) -> None:
    value = json.loads(train["input"])
    value[key] = json.loads(test["input"])[key]
    train["input"] = json.dumps(value)


@pytest.mark.parametrize("name", ["all.jsonl", "all.json", "all.parquet"])
def test_leaks_are_found_in_text_alone(leaking: list[Row], tmp_path: Path, name: str) -> None:
    audit = audit_dataset(write(leaking, tmp_path / name))
    assert audit.columns == ("few_shot_example",)
    assert shared(audit, "title") == 3 * PLANTED
    assert shared(audit, "query text") == PLANTED
    assert shared(audit, "question text") == PLANTED
    passed = {(one.setting, one.found) for one in audit.exceeded if one.where == "train and test"}
    assert passed >= {("product_overlap", 3 * PLANTED), ("group_overlap", PLANTED)}


def test_a_clean_original_has_no_leaks(tmp_path: Path) -> None:
    rows = [one for rows in dataset().values() for one in rows]
    write(rows[: len(rows) // 2], tmp_path / "a.jsonl")
    write(rows[len(rows) // 2 :], tmp_path / "b.parquet")
    (tmp_path / "dataset_infos.json").write_text(json.dumps({"about": {"rows": 3}}, indent=1), encoding="utf-8")
    audit = audit_dataset(tmp_path, AuditLimits(label_share=0.95))
    assert (audit.rows, audit.files) == (2500, 2)
    assert not [one for one in audit.overlaps if one.values]
    carrying = {one.kind for one in audit.overlaps if one.right_carrying}
    assert {"title", "query text", "question text", "input", "near"} <= carrying
    assert {one.setting for one in audit.exceeded} == {"python_literals", "label_share"}
    assert sum(one.rows for one in audit.faults if one.kind == "Python literal") == 500


def test_roles_come_from_split_and_setting(tmp_path: Path) -> None:
    settings = [
        ("train", "IND_Diverse_Instruction", "train"),
        ("val", "IND_Single_Instruction", "validation"),
        ("test", "IND_Diverse_Instruction_1-shot", "test"),
        ("test", "OOD_Single_Instruction", "test_ood"),
        ("test", "IND_Unseen_Instruction", "test_unseen_instructions"),
        ("test", "OOD_Unseen_Instruction", "test_ood_unseen_instructions"),
    ]
    rows = [row("T", split, number, setting=setting, input="x") for number, (split, setting, _) in enumerate(settings)]
    audit = audit_dataset(write(rows, tmp_path / "train-00000-of-00001.parquet"))
    assert {role for _, role, _ in audit.counts} == {role for _, _, role in settings}


def test_nulls_and_nan_are_found_and_stop_nothing(tmp_path: Path) -> None:
    rows = [row("T", "train", number, input=f"text {number}") for number in range(20)]
    for number, column in enumerate(("split", "task", "setting", "instruction", "input", "options", "output")):
        rows[number][column] = None
    rows[7]["output"] = float("nan")
    audit = audit_dataset(write(rows, tmp_path / "rows.jsonl"))
    assert sum(one.rows for one in audit.faults if one.kind == "null") == 8
    assert not audit.passed


def test_options_and_outputs_of_the_original_are_understood(tmp_path: Path) -> None:
    rows = [searched("train", number, random.Random(number)) for number in range(40)]
    rows[0]["output"] = "E: made up."
    rows[1]["output"] = "A"
    rows[2]["output"] = "fits it in part."
    audit = audit_dataset(write(rows, tmp_path / "rows.jsonl"))
    assert sum(one.rows for one in audit.faults if one.kind == "answer not among options") == 1
    balance = audit.balances[0]
    assert {label for label, _ in balance.labels} >= {plain_class[3:].casefold() for plain_class in CLASSES}


def test_rows_in_several_settings_are_one_piece_of_evidence_of_balance(tmp_path: Path) -> None:
    rows = [
        ranked("train", number, random.Random(number)) | {"options": f"A: a{number}\nB: b\nC: c"}
        for number in range(30)
    ]
    again = [
        one | {"setting": setting} for one in rows for setting in ("IND_Single_Instruction", "IND_Diverse_Instruction")
    ]
    (balance,) = audit_dataset(write(again, tmp_path / "rows.jsonl")).balances
    assert balance.rows == 30
    assert balance.letters == (("B", 30),)


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ('{"product 1": {"title": "Blue Kettle With Whistle 2 L"}}', ["blue kettle with whistle 2 l"]),
        ("Product 1: Blue Kettle With Whistle 2 L", ["blue kettle with whistle 2 l"]),
        ("First product: Blue Kettle With Whistle 2 L", ["blue kettle with whistle 2 l"]),
        ("1. Blue Kettle With Whistle 2 L\n2. Short one", ["blue kettle with whistle 2 l"]),
        ("['1st: Blue Kettle With Whistle 2 L', '2nd: It\\'s']", ["blue kettle with whistle 2 l"]),
        ('{"query": "a", "product list": ["A: Blue Kettle With Whistle 2 L"]}', ["blue kettle with whistle 2 l"]),
        (
            '{"paragraphs": [{"source": "title", "text": "Blue Kettle, With Whistle 2 L"}]}',
            ["blue kettle with whistle 2 l"],
        ),
        ("I bought the Blue Kettle With Whistle 2 L: great", []),
    ],
)
def test_titles_are_read_out_of_inputs(text: str, titles: list[str]) -> None:
    assert list(recover(text).titles) == titles


@given(st.text(alphabet=st.sampled_from("[]{}()'\":,.\n 1aAé\\&<"), max_size=80) | st.text(max_size=60))
def test_odd_text_stops_nothing(text: str) -> None:
    assert isinstance(recover(text).prose, str)
    assert isinstance(option_texts(text), dict)
    assert isinstance(plain(text), str)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "{'a': " * 5_000, "((((" * 50_000, "9" * 100_000, "[" + "9" * 50_000 + "]"]
)
def test_deep_and_long_text_stops_nothing(text: str) -> None:
    assert recover(text).titles == ()
