"""What the README shows of the default dataset is in it."""

import re
import shlex
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from building import run_command

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_row_and_the_questions_of_the_readme_are_of_the_default_dataset(tmp_path: Path) -> None:
    run_command("build", "sample", "--quiet", cwd=tmp_path)
    for command in re.findall(r"^\$ ecinstruct (explain \S+)$", README, re.MULTILINE):
        assert run_command(*shlex.split(command), cwd=tmp_path).stdout
    example_id = re.findall(r"explain (query_product_ranking:\w+)", README)[0]
    rows = pq.read_table(tmp_path / "dataset" / "data" / "query_product_ranking").to_pylist()
    row = next(row for row in rows if row["example_id"] == example_id)
    block = README.partition("```text\n")[2].partition("```")[0]
    shown = re.sub(r"\n +", "\n", block)
    for name in ("input", "options", "output"):
        assert re.search(rf"^{name} +{re.escape(row[name])}$", shown, re.MULTILINE), name
    assert row["instruction"] in " ".join(shown.split())
    for name in ("split", "task", "setting", "source", "template_id"):
        assert f"{name} {row[name]}" in shown
