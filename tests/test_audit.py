"""The audit finds every leak and fault planted in published shards, and nothing where nothing was planted."""

import json
import random
import shutil
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from audit_rows import PLANTED, ROLES, Made, clean_dataset, planted_dataset, write_parquet, write_shards
from building import SmallBuild
from rich.console import Console
from sharing import made_once

from ecinstruct_build.audit.limits import AuditLimits, read_limits
from ecinstruct_build.audit.page import audit_page, write_audit
from ecinstruct_build.audit.result import Audit
from ecinstruct_build.audit.run import audit_dataset
from ecinstruct_build.audit.terminal import render_audit
from ecinstruct_build.errors import UserError

SMALL = {"train": 60, "validation": 8, "test": 10, "test_ood": 10, "test_unseen_instructions": 8}
LEAKS = (
    *("input", "row", "near", "title", "product", "family"),
    *("query", "question", "user", "attribute", "category", "instruction"),
)
FAULTS = (
    "invalid JSON",
    "null",
    "HTML",
    "foreign language",
    "answer not among options",
    "misfiled",
    "empty",
    "Python literal",
    "duplicate id",
)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Made, Audit]:
    def make(folder: Path) -> tuple[Made, Audit]:
        made = planted_dataset()
        return made, audit_dataset(write_shards(made, folder))

    return made_once(tmp_path_factory, "planted_audit", make)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shards(clean_dataset(SMALL), tmp_path_factory.mktemp("clean"))


def leaking_rows(audit: Audit, kind: str) -> Counter[str]:
    """The held-out rows that are named for a kind, and how often."""
    return Counter(shared.right for one in audit.overlaps if one.kind == kind for shared in one.listed)


def faulty_rows(audit: Audit, kind: str) -> set[str]:
    return {row for one in audit.faults if one.kind == kind for row, _ in one.listed}


@pytest.mark.parametrize("kind", LEAKS)
def test_every_planted_leak_is_found_and_no_other(planted: tuple[Made, Audit], kind: str) -> None:
    made, audit = planted
    expected = made.planted[kind]
    assert len(expected) >= PLANTED
    assert set(leaking_rows(audit, kind)) == expected
    assert sum(one.right_rows for one in audit.overlaps if one.kind == kind) == len(expected)
    assert kind == "title" or any(one.setting == LIMIT_OF[kind] for one in audit.exceeded)


LIMIT_OF = {
    "input": "exact_duplicates",
    "row": "exact_duplicates",
    "near": "near_duplicates",
    "product": "product_overlap",
    "family": "family_overlap",
    "query": "group_overlap",
    "question": "group_overlap",
    "user": "group_overlap",
    "attribute": "ood_overlap",
    "category": "ood_overlap",
    "instruction": "instruction_overlap",
}


# Limit, words and number of what exceeds it: rows of a dataset, or a share of the rows of a task in a split.
EXCEEDED = {
    "invalid JSON": ("invalid_json", "rows with invalid JSON", PLANTED),
    "null": ("nulls", "rows with a null", PLANTED),
    "HTML": ("html_share", "share of rows with HTML", PLANTED / 1000),
    "foreign language": ("foreign_share", "share of rows with foreign language", PLANTED / 1600),
    "answer not among options": ("answer_not_among_options", "rows with an answer not among options", PLANTED),
    "misfiled": ("misfiled", "rows with another split in their columns than that of their shard", PLANTED),
    "empty": ("empties", "rows with an empty text", PLANTED),
    "Python literal": ("python_literals", "rows with a Python literal", PLANTED),
    "duplicate id": ("duplicate_ids", "rows with a duplicate id", PLANTED),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_every_planted_fault_is_found_and_no_other(planted: tuple[Made, Audit], kind: str) -> None:
    made, audit = planted
    expected = made.planted[kind]
    assert len(expected) >= PLANTED / 2
    assert faulty_rows(audit, kind) == expected
    setting, what, found = EXCEEDED[kind]
    assert (what, found) in [(one.what, round(one.found, 6)) for one in audit.exceeded if one.setting == setting]


def test_kinds_without_plants_are_empty(planted: tuple[Made, Audit]) -> None:
    _, audit = planted
    found = {one.kind for one in audit.overlaps if one.values}
    assert found == set(LEAKS)


def test_skewed_option_letters_are_found_only_where_planted(planted: tuple[Made, Audit]) -> None:
    _, audit = planted
    skewed = [one.where for one in audit.exceeded if one.setting == "position_p"]
    assert skewed == ["Query_Product_Ranking (validation)"]


def test_out_of_domain_rows_are_counted_by_what_they_share(planted: tuple[Made, Audit]) -> None:
    _, audit = planted
    shared = {(one.role, one.kind): one.shared for one in audit.proofs}
    assert shared["test_ood", "attribute"] == shared["test_ood", "category"] == PLANTED
    assert shared["test_ood", "anything"] == 2 * PLANTED
    assert shared["test_ood_unseen_instructions", "anything"] == 0
    assert shared["test_ood", "product"] == shared["test_ood", "user"] == 0
    carrying = {(one.role, one.kind): (one.carrying, one.rows) for one in audit.proofs}
    assert carrying["test_ood", "user"] == (400, 1600)
    assert carrying["test_ood", "category"] == (1200, 1600)  # the domain of attribute extraction is the attribute


def test_a_clean_dataset_passes(clean: Path) -> None:
    audit = audit_dataset(clean)
    assert audit.passed
    assert not [one for one in audit.overlaps if one.values]
    assert not [one for one in audit.faults if one.rows]
    carrying = {one.kind for one in audit.overlaps if one.left_carrying and one.right_carrying}
    assert carrying >= set(LEAKS) - {"instruction"}


def test_our_own_build_passes(small_build: SmallBuild) -> None:
    audit = audit_dataset(small_build.out)
    assert audit.passed, "\n".join(map(str, audit.exceeded))
    assert audit.rows == sum(shard["rows"] for shard in small_build.manifest["shards"])


@pytest.mark.parametrize("column", ["products", "groups", "input"])
def test_leaks_planted_into_our_own_shards_are_found(small_build: SmallBuild, tmp_path: Path, column: str) -> None:
    out = tmp_path / "dataset"
    shutil.copytree(small_build.out, out)
    files = sorted(out.rglob("*.parquet"))
    held_out = [row for file in files if "train-" not in file.name for row in pq.read_table(file).to_pylist()]
    givers = [row for row in held_out if [one for one in row[column] if not one.startswith("attribute:")]]
    assert len(givers) >= PLANTED
    for file in files:
        if "train-" in file.name:
            table = pq.read_table(file)
            rows = table.to_pylist()
            for row in rows:
                giver = givers.pop() if givers else None
                if giver is not None:
                    row[column] = giver[column]
            write_parquet(rows, file, table.schema)
    assert not givers
    audit = audit_dataset(out)
    kinds = {"products": ("product",), "groups": ("user", "query", "question"), "input": ("input",)}[column]
    leaking = sum(one.right_rows for one in audit.overlaps if one.kind in kinds and one.left == "train")
    expected = [row for row in held_out if [one for one in row[column] if not one.startswith("attribute:")]]
    assert leaking == len(expected)
    assert not audit.passed


def test_audit_json_is_the_same_for_any_order_of_rows_and_any_hash_seed(tmp_path: Path) -> None:
    made = clean_dataset(SMALL)
    rows = made.all_rows()
    for number in range(0, 20, 2):
        train, test = (
            made.rows["Sentiment_Analysis", "train"][number],
            made.rows["Sentiment_Analysis", "test"][number % 10],
        )
        train["input"] = test["input"] + " Indeed."
        train["groups"] = test["groups"]
    write_shards(made, tmp_path / "one")
    random.Random(3).shuffle(rows)
    for role in ROLES:
        mine = [
            row for row in rows if row["setting"][:3] == ("OOD" if "ood" in role else "IND") and role_of(row) == role
        ]
        for part in range(3):
            write_parquet(mine[part::3], tmp_path / "other" / "data" / f"{role}-0000{part}-of-00003.parquet")
    command = (
        "import sys; from pathlib import Path; from ecinstruct_build.audit.run import audit_dataset;"
        "sys.stdout.buffer.write(audit_dataset(sys.argv[1]).to_json().encode())"
    )
    written = [
        subprocess.run(
            [sys.executable, "-c", command, str(tmp_path / folder)],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            check=True,
            capture_output=True,
        ).stdout
        for folder, seed in (("one", "1"), ("other", "2"))
    ]
    first, second = (json.loads(text) for text in written)
    assert not first["passed"]
    assert first["files"] != second["files"]
    files = [f'"files": {one["files"]},'.encode() for one in (first, second)]
    assert written[0].replace(*files) == written[1]


def role_of(row: dict[str, str]) -> str:
    base = {"train": "train", "val": "validation"}.get(row["split"], "test")
    ood = "_ood" if base == "test" and row["setting"].startswith("OOD") else ""
    return base + ood + ("_unseen_instructions" if "Unseen" in row["setting"] else "")


class Structure(HTMLParser):
    """Collects tags, and sees that they nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in ("meta", "br", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_shows_what_was_found_and_escapes_it(tmp_path: Path) -> None:
    made = clean_dataset(SMALL)
    attack = "</td><script>alert('x')</script>"
    for role in ("train", "test"):
        made.rows["Sentiment_Analysis", role][0] |= {"input": attack + " one two three", "groups": [f"user:{attack}"]}
        made.rows["Sentiment_Analysis", role][1]["example_id"] += attack
    made.rows["Sentiment_Analysis", "train"][1]["output"] = attack
    made.rows["Sentiment_Analysis", "train"][2]["input"] = made.rows["Sentiment_Analysis", "test"][1]["input"] + attack
    for row in made.rows["Query_Product_Ranking", "test"]:
        row["task"] = f"Ranking {attack}"
    audit = audit_dataset(write_shards(made, tmp_path))
    write_audit(audit, tmp_path / "report" / "here")
    page = (tmp_path / "report" / "here" / "audit.html").read_text(encoding="utf-8")
    assert page == audit_page(audit)
    structure = Structure()
    structure.feed(page)
    structure.close()
    assert structure.open == []
    assert "script" not in structure.seen
    assert {"table", "details", "summary"} <= structure.seen
    assert attack in structure.text
    assert "failed" in structure.text
    assert "http://" not in page
    assert "https://" not in page
    assert json.loads((tmp_path / "report" / "here" / "audit.json").read_text(encoding="utf-8"))["passed"] is False


def test_the_terminal_names_the_limits_that_are_exceeded(planted: tuple[Made, Audit], clean: Path) -> None:
    _, audit = planted
    console = Console(width=160, record=True, quiet=False, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    render_audit(audit, console)
    text = console.export_text()
    assert "The audit failed" in text
    assert "held-out rows that share a user: 200 (limit 0, group_overlap) in train and test" in text
    assert text.count("\nexceeded: ") == len(audit.exceeded)
    assert f"{len(audit.exceeded)} limits exceeded." in text
    render_audit(audit_dataset(clean), console)
    assert "The audit passed: " in (text := console.export_text())
    assert "files, nothing exceeds a limit." in text


def test_limits_decide(planted: tuple[Made, Audit], tmp_path: Path) -> None:
    made = clean_dataset(SMALL)
    for number in range(3):
        made.rows["Sentiment_Analysis", "train"][number]["groups"] = made.rows["Sentiment_Analysis", "test"][number][
            "groups"
        ]
    write_shards(made, tmp_path)
    assert not audit_dataset(tmp_path, AuditLimits(group_overlap=2)).passed
    assert audit_dataset(tmp_path, AuditLimits(group_overlap=3)).passed
    assert audit_dataset(tmp_path, AuditLimits(group_overlap=None)).passed


def test_limits_are_read_from_a_file_or_a_recipe(tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text('name = "mine"\n[audit]\ngroup_overlap = 3\n', encoding="utf-8")
    assert read_limits(file) == AuditLimits(group_overlap=3)
    file.write_text("jaccard = 0.9\n", encoding="utf-8")
    assert read_limits(file) == AuditLimits(jaccard=0.9)
    file.write_text('name = "mine"\n[tasks.sentiment_analysis]\n', encoding="utf-8")
    assert read_limits(file) == AuditLimits()
    file.write_text("group_overlaps = 3\n", encoding="utf-8")
    with pytest.raises(UserError, match="Did you mean 'group_overlap'"):
        read_limits(file)


def test_one_row_with_markup_does_not_condemn_a_small_split(tmp_path: Path) -> None:
    made = clean_dataset(SMALL)
    rows = made.rows["Sentiment_Analysis", "test"]
    rows[0]["input"] += " <br>"
    assert [one.setting for one in audit_dataset(write_shards(made, tmp_path / "one")).exceeded] == ["html_share"]
    tolerant = AuditLimits(html_share=0.02)
    assert audit_dataset(tmp_path / "one", tolerant).passed
    for row in rows[1:3]:
        row["input"] += " <br>"
    assert not audit_dataset(write_shards(made, tmp_path / "three"), tolerant).passed


def test_the_audit_imports_nothing_that_builds() -> None:
    code = (
        "import sys, ecinstruct_build.audit.run, ecinstruct_build.audit.page, ecinstruct_build.audit.terminal;"
        "print('\\n'.join(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    ours = [name for name in done.stdout.split() if name.split(".")[0] in ("ecinstruct_build", "quality", "sources")]
    allowed = (
        "ecinstruct_build.audit",
        "ecinstruct_build.errors",
        "ecinstruct_build.console",
        "ecinstruct_build.locales",
        "ecinstruct_build.progress",
    )
    assert [name for name in ours if name != "ecinstruct_build" and not name.startswith(allowed)] == []
    assert "ecinstruct_build.audit.near" in ours


def test_a_folder_without_shards_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"a": 1}', encoding="utf-8")
    with pytest.raises(UserError, match="no shards"):
        audit_dataset(tmp_path)


def test_missing_columns_are_named(tmp_path: Path) -> None:
    write_parquet([{"task": "A", "input": "B"}], tmp_path / "data" / "a.parquet", schema=None)
    with pytest.raises(
        UserError, match=r"data/a\.parquet lacks the columns split, setting, instruction, options, output"
    ):
        audit_dataset(tmp_path)


def test_an_unknown_split_is_refused(tmp_path: Path) -> None:
    made = clean_dataset(SMALL)
    made.rows["Sentiment_Analysis", "train"][0]["split"] = "banana"
    with pytest.raises(UserError, match="banana"):
        audit_dataset(write_shards(made, tmp_path))


def test_a_broken_shard_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(UserError, match=r"train\.parquet of the dataset cannot be read"):
        audit_dataset(tmp_path)
