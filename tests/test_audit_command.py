"""What ``ecinstruct audit`` prints, and what the page says beside its numbers."""

from pathlib import Path

import pyarrow as pa
import pytest
from audit_rows import SCHEMA, clean_dataset, write_parquet, write_shards
from building import call_command
from rich.console import Console

from ecinstruct_build.audit.page import audit_page, matrix, verdict, yardstick
from ecinstruct_build.audit.run import audit_dataset
from ecinstruct_build.audit.terminal import render_audit

SIZES = {"train": 30, "test": 6}
ORIGINAL = ("split", "task", "setting", "instruction", "input", "options", "output", "few_shot_example")


@pytest.fixture(scope="module")
def leaking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with two rows that share a user."""
    made = clean_dataset(SIZES)
    made.rows["Sentiment_Analysis", "train"][0]["groups"] = made.rows["Sentiment_Analysis", "test"][0]["groups"]
    return write_shards(made, tmp_path_factory.mktemp("leaking"))


def write_columns(folder: Path, columns: tuple[str, ...]) -> Path:
    schema = pa.schema([SCHEMA.field(name) for name in columns])
    rows = [{name: row[name] for name in columns} for row in clean_dataset(SIZES).all_rows()]
    write_parquet(rows, folder / "rows.parquet", schema)
    return folder


def terminal(folder: Path, width: int) -> str:
    console = Console(width=width)
    with console.capture() as captured:
        render_audit(audit_dataset(folder), console)
    return captured.get()


def test_a_quiet_audit_that_fails_says_why(leaking: Path) -> None:
    done = call_command("audit", str(leaking), "-q", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "exceeded: held-out rows that share a user: 1 (limit 0, group_overlap) in train and test"
    ]


def test_a_quiet_audit_that_passes_says_nothing(tmp_path: Path) -> None:
    done = call_command("audit", str(write_shards(clean_dataset(SIZES), tmp_path)), "--quiet")
    assert (done.stdout, done.stderr) == ("", "")


def test_findings_that_cannot_be_written_are_shown_all_the_same(leaking: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    for place in ("file", "file/below"):
        done = call_command("audit", str(leaking), "--out", str(tmp_path / place), check=False)
        assert done.returncode == 1
        assert "1 limit exceeded." in done.stdout
        said = " ".join(done.stderr.split())
        assert "Error: The findings of the audit cannot be written into" in said
        assert "Traceback" not in said
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


def test_one_limit_and_one_file_are_singular(leaking: Path, tmp_path: Path) -> None:
    audit = audit_dataset(leaking)
    assert verdict(audit) == "1 limit exceeded"
    assert "<h2>1 limit exceeded</h2>" in audit_page(audit)
    assert "rows in 1 file, " in terminal(write_columns(tmp_path, ORIGINAL), 120)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (ORIGINAL, "so a title counts as a product and the text of a query or question counts as a group: "),
        ((*ORIGINAL, "products"), "so the text of a query or question counts as a group: "),
        ((*ORIGINAL, "groups"), "so a title counts as a product: "),
    ],
)
def test_what_stands_for_missing_ids_is_said(tmp_path: Path, columns: tuple[str, ...], expected: str) -> None:
    audit = audit_dataset(write_columns(tmp_path, columns))
    assert expected in yardstick(audit)
    assert yardstick(audit) in audit_page(audit)
    assert expected in terminal(tmp_path, 300)


def test_kinds_without_a_limit_are_marked(leaking: Path, tmp_path: Path) -> None:
    audit = audit_dataset(leaking)
    assert yardstick(audit) == ""
    assert {row.kind for row in matrix(audit) if not row.limited} == {"title", "query text", "question text"}
    assert all(f"{kind} (no limit)" in terminal(leaking, 120) for kind in ("title", "query text", "question text"))
    assert audit_page(audit).count("(no limit)") == 3
    assert "(no limit)" not in terminal(write_columns(tmp_path, ORIGINAL), 120)


def test_a_narrow_terminal_cuts_no_name(leaking: Path) -> None:
    text = terminal(leaking, 30)
    assert "…" not in text
    assert "answer not among options" in text
    assert "question text (no limit)" in text
