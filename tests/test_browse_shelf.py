"""Samples are found by task, split, source, words and what checks said of them."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from browse_data import HOSTILE, REJECTED, ROWS, TWIN, findings, row, write_dataset
from building import SmallBuild
from hypothesis import given
from hypothesis import strategies as st

from ecinstruct_build.browsing.shelf import Shelf
from ecinstruct_build.browsing.words import pieces, words_of
from ecinstruct_build.errors import UserError
from ecinstruct_build.reporting.findings import findings_of


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset whose name, taken for a pattern, would take in its neighbour."""
    folder = tmp_path_factory.mktemp("browse it's")
    write_dataset(folder / "data-and-set")
    return write_dataset(folder / "data*set")


@pytest.fixture(scope="module")
def shelf(dataset: Path) -> Shelf:
    return Shelf(dataset, findings())


def ids(shelf: Shelf, **asked: str | int) -> list[str]:
    return [sample.example_id for sample in shelf.page(**asked).samples]


def test_every_row_stands_on_one_page_in_an_order_that_stays(shelf: Shelf) -> None:
    first = shelf.page(size=10)
    assert (first.total, first.pages) == (33, 4)
    samples = [sample for page in range(1, 5) for sample in shelf.page(size=10, page=page).samples]
    assert [sample.number for sample in samples] == list(range(1, 34))
    assert sorted(sample.example_id for sample in samples) == sorted(str(one["example_id"]) for one in ROWS)
    assert [sample.task for sample in samples] == ["query_product_ranking"] + ["sentiment_analysis"] * 32
    assert [sample.split for sample in samples[1:]] == ["train"] * 30 + ["test", "test_unseen_instructions"]


def test_a_sample_holds_its_row(shelf: Shelf) -> None:
    (sample,) = shelf.page(task="query_product_ranking").samples
    assert (sample.split, sample.source, sample.is_published) == ("test_ood", "esci", True)
    assert sample.content["output"] == "B,A,C"
    assert sample.row["setting"] == "OOD_Diverse_Instruction"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"split": "test"}, 1),
        ({"split": "train", "source": "amazon_reviews_2018"}, 30),
        ({"source": "esci"}, 1),
        ({"task": "sentiment_analysis", "split": "test_unseen_instructions"}, 1),
        ({"task": "no_such_task"}, 0),
        ({"words": "kettle"}, 31),
        ({"words": "KETTLE Boils"}, 30),
        ({"words": "grüne wool"}, 1),  # umlauts, too, in any case
        ({"words": "100% wool_cosy"}, 1),
        ({"words": "100_"}, 0),  # no wildcard
        ({"words": "'; DROP"}, 0),
        ({"words": "teapot ranking"}, 0),
        ({"words": '"green teapot" kettle'}, 1),  # one in an option, one in another
        ({"words": '"teapot green"'}, 0),
        ({"words": "teapot", "task": "sentiment_analysis"}, 1),
        ({"words": "kettle", "split": "train", "source": "esci"}, 0),
        ({"example": "sentiment_analysis:0000000000000007"}, 1),
    ],
)
def test_what_is_asked_for_narrows_what_is_found(shelf: Shelf, asked: dict[str, str], found: int) -> None:
    assert shelf.page(**asked).total == found


def test_choices_say_what_each_would_leave(shelf: Shelf) -> None:
    page = shelf.page(words="teapot", split="test")
    assert page.choices["split"] == {"test": 1, "test_ood": 1}
    assert page.choices["task"] == {"sentiment_analysis": 1}
    for name in ("task", "split", "source"):
        for value, count in shelf.page(words="e").choices[name].items():
            assert shelf.page(words="e", **{name: value}).total == count


@pytest.mark.parametrize(("page", "shown"), [(0, 1), (-3, 1), (2, 2), (99, 2)])
def test_a_page_beyond_the_last_is_the_last(shelf: Shelf, page: int, shown: int) -> None:
    assert shelf.page(page=page).asked.page == shown


def test_rejected_examples_are_shown_with_what_was_said(shelf: Shelf) -> None:
    page = shelf.page(check="any", action="reject")
    assert [sample.example_id for sample in page.samples] == [TWIN.example_id, REJECTED.example_id]
    assert page.choices["check"] == {"any": 2, "duplicates": 1, "hygiene": 1}
    sample = page.samples[1]
    assert not sample.is_published
    assert json.loads(sample.content["input"]) == {"title": "A word", "review": "The Samovar leaks."}
    assert (sample.content["options"], sample.content["output"]) == ("A: very positive\nB: very negative", "B")
    assert [(one.check, one.action, one.reason) for one in sample.findings] == [
        ("duplicates", "reject", "near duplicate"),
        ("language", "flag", "too short to tell"),
    ]
    assert (sample.findings[0].score, sample.findings[0].peer) == (0.93, TWIN.example_id)


def test_repaired_examples_are_shown_as_published(shelf: Shelf) -> None:
    (sample,) = shelf.page(check="privacy").samples
    assert (sample.split, sample.content["input"]) == ("train", "Review: Kettle number 5 boils quickly.")
    (same,) = shelf.page(example=sample.example_id).samples
    assert [one.reason for one in same.findings] == ["e-mail address"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"check": "any"}, 3),
        ({"check": "language"}, 1),
        ({"check": "any", "reason": "mojibake"}, 1),
        ({"check": "duplicates", "action": "flag"}, 0),
        ({"check": "any", "words": "samovar LEAKS"}, 2),
        ({"check": "any", "words": "leaks!"}, 1),
        ({"check": "no_such_check"}, 0),
    ],
)
def test_findings_are_narrowed(shelf: Shelf, asked: dict[str, str], found: int) -> None:
    assert shelf.page(**asked).total == found


def test_an_example_that_was_rejected_has_an_address(shelf: Shelf) -> None:
    assert ids(shelf, example=REJECTED.example_id) == [REJECTED.example_id]
    assert ids(shelf, example="sentiment_analysis:nothing") == []


def test_without_findings_no_check_leaves_anything(dataset: Path) -> None:
    plain = Shelf(dataset)
    assert plain.page(check="any").total == 0
    assert "check" not in plain.page().choices


def test_a_dataset_that_is_built_anew_is_shown_anew(tmp_path: Path) -> None:
    shelf = Shelf(write_dataset(tmp_path, ROWS[:3]))
    assert shelf.page(words="kettle").total == 3
    write_dataset(tmp_path, [row(8, input="Review: A samovar.")])
    assert shelf.page(words="kettle").total == 0
    assert ids(shelf) == ["sentiment_analysis:0000000000000008"]
    for path in (tmp_path / "data").rglob("*.parquet"):
        path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match="cannot be read"):
        shelf.page()


def test_other_folders_in_the_same_columns_are_shown(tmp_path: Path) -> None:
    names = ("instruction", "input", "options", "output", "task", "split", "setting")
    few = [{name: one[name] for name in names} for one in ROWS]
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines/rows.jsonl").write_text("\n".join(json.dumps({**one, "options": None}) for one in few))
    page = Shelf(tmp_path / "lines").page(words="teapot")
    assert page.total == 2
    assert {sample.split for sample in page.samples} == {"test", "test_ood"}
    table = pq.read_table(write_dataset(tmp_path / "ours") / "data/sentiment_analysis")
    (tmp_path / "bare").mkdir()
    pq.write_table(table.select(["instruction", "input", "output"]), tmp_path / "bare/any name.parquet")
    bare = Shelf(tmp_path / "bare").page(words="kettle")
    assert bare.total == 30
    assert bare.choices == {}
    pq.write_table(table.select(["instruction", "products"]), tmp_path / "bare/any name.parquet")
    with pytest.raises(UserError, match="lack the columns input, output"):
        Shelf(tmp_path / "bare")


@pytest.mark.parametrize("what", ["missing", "empty", "broken"])
def test_what_is_no_dataset_is_told(what: str, tmp_path: Path) -> None:
    if what != "missing":
        (tmp_path / "dataset").mkdir()
    if what == "broken":
        (tmp_path / "dataset/train.parquet").write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(UserError, match=r"no dataset|no shards|cannot be read"):
        Shelf(tmp_path / "dataset")


def test_the_findings_of_a_build_are_all_there(small_build: SmallBuild) -> None:
    shelf = Shelf(small_build.out, findings_of(small_build.built))
    checked = small_build.built.checked
    said = {task: checked.verdict_table(task) for task in checked.repaired}
    examples = {one for table in said.values() for one in table["example_id"].to_pylist()}
    assert shelf.page(check="any").total == len(examples)
    rejected = {row["example_id"] for task in said for row in checked.verdicts(task) if row["action"] == "reject"}
    page = shelf.page(check="any", action="reject", size=100)
    assert page.total == len(rejected)
    assert {sample.example_id for sample in page.samples} <= rejected
    assert not any(sample.is_published for sample in page.samples)
    published = shelf.page(check="any", action="repair", size=100).samples
    assert any(sample.is_published for sample in published)


@given(text=st.text(), words=st.lists(st.text(min_size=1), max_size=4).map(tuple))
def test_pieces_make_up_the_text(text: str, words: tuple[str, ...]) -> None:
    cut = pieces(text, words)
    assert "".join(piece for piece, _ in cut) == text
    assert all(piece for piece, _ in cut)
    for word in words:
        assert not any(word in piece for piece, hit in cut if not hit)


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ("", ()),
        ('  tea  "green pot" tea ', ("tea", "green pot")),
        ('"unclosed phrase', ("unclosed", "phrase")),
        ('"" " "', ()),
        ("x " * 1000, ("x",)),
        (" ".join(str(number) for number in range(50)), tuple(str(number) for number in range(12))),
    ],
)
def test_words_and_phrases(search: str, words: tuple[str, ...]) -> None:
    assert words_of(search) == words


def test_hostile_text_is_found_as_it_is(shelf: Shelf) -> None:
    (sample,) = shelf.page(words="<script> onmouseover").samples
    assert sample.content["input"] == HOSTILE
