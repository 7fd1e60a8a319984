"""What is known of upstream files, and that knowing more of them makes no stored result out of date."""

import shutil
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from ecinstruct_build import provenance
from ecinstruct_build.fetching.remotes import Known, known_files, remote_table
from ecinstruct_build.registry import SOURCES

TABLES = sorted(path.stem for path in (ROOT / "sources" / "digests").glob("*.tsv"))


@pytest.mark.parametrize("name", TABLES)
def test_a_table_speaks_of_upstream_files_only_and_its_adapter_heeds_it(name: str) -> None:
    remotes = {remote.file: remote for remote in SOURCES.get(name).remotes}
    for file, known in known_files(name).items():
        assert (remotes[file].size, remotes[file].sha256) == known, file


def test_remotes_have_every_mirror_in_order_and_what_is_known() -> None:
    file = "meta_Video_Games.json.gz"
    known, unknown = remote_table("amazon_reviews_2014", [file, "meta_Ships.json.gz"], ["https://a/", "https://b/c/"])
    assert known.urls == (f"https://a/{file}", f"https://b/c/{file}")
    assert (known.size, known.sha256) == known_files("amazon_reviews_2014")[file]
    assert (unknown.size, unknown.sha256, unknown.urls[1]) == (None, None, "https://b/c/meta_Ships.json.gz")


def test_what_a_table_leaves_empty_is_unknown() -> None:
    ratings = known_files("amazon_reviews_2018")["categoryFilesSmall/Gift_Cards.csv"]
    assert ratings == Known(None, ratings.sha256)
    assert len(ratings.sha256 or "") == 64
    assert known_files("no_such_source") == {}


def test_a_digest_that_is_added_makes_no_stored_result_out_of_date(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "sources"
    shutil.copytree(ROOT / "sources", package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "sources"]:
        monkeypatch.delitem(sys.modules, name)

    def digest() -> str:
        provenance.forget()
        return provenance.code_digest("sources.amazon_reviews_2014")

    before = digest()
    with (package / "digests" / "amazon_reviews_2014.tsv").open("a") as table:
        table.write(f"{64 * '0'}\t1\tmeta_Ships.json.gz\n")
    assert digest() == before
    (package / "colours.txt").write_text("red\n")
    assert digest() != before, "other data of the package does count"
    provenance.forget()
