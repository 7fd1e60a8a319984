"""Contamination: what stands in a test set is found, what does not is left alone."""

import gzip
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from passage_texts import PROSE, prose, review

from ecinstruct_build.check import Evidence, Verdict
from ecinstruct_build.errors import UserError
from ecinstruct_build.example import Example, Item, Option
from quality import contamination
from quality.contamination import CHECK, ContaminationSettings
from quality.content import content_texts
from quality.similarity.shingles import words


def write_lines(path: Path, rows: Iterable[Any]) -> Path:
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def judged(examples: Sequence[Example], *paths: Path, **settings: Any) -> dict[str, Verdict]:
    chosen = ContaminationSettings(test_sets=paths, **settings)
    found = contamination.judge(examples, chosen, Evidence())
    assert len({verdict.example_id for verdict in found}) == len(found)
    return {verdict.example_id: verdict for verdict in found}


def runs(texts: Iterable[str], size: int) -> set[tuple[str, ...]]:
    cut = (words(text) for text in texts)
    return {tuple(part[start : start + size]) for part in cut for start in range(len(part) - size + 1)}


def strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in parts for text in strings(part)]


def test_without_test_sets_nothing_is_judged() -> None:
    assert judged([review("a", PROSE)]) == {}


@pytest.mark.parametrize("name", ["held.jsonl", "held.jsonl.gz", "held.json", "held.parquet"])
def test_a_text_that_stands_in_a_test_set_is_found_whatever_its_file(name: str, tmp_path: Path) -> None:
    rows = [{"text": prose(1, 40), "label": 1}, {"text": f"Review: {PROSE.upper()}!", "label": 2}]
    path = tmp_path / name
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        write_lines(path, rows)
    stands, other = review("a", PROSE), review("b", prose(2, 40))
    (verdict,) = judged([stands, other], path).values()
    assert (verdict.example_id, verdict.reason, verdict.score) == (stands.example_id, "stands in a test set", 1.0)
    place = "row 2" if path.suffix == ".parquet" else "line 2"
    assert verdict.detail == f"{name}, {place}: {' '.join(words(PROSE)[:13])}"
    assert verdict.remedy == "reject"


def test_all_files_of_a_folder_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "held"
    (folder / "deep").mkdir(parents=True)
    (folder / "dataset_info.json").write_text("no lines of JSON")
    one = write_lines(folder / "a.jsonl", [PROSE])
    other = write_lines(folder / "deep" / "b.jsonl.gz", [{"turns": [{"content": prose(3, 30)}]}])
    found = judged([review("a", PROSE), review("b", prose(3, 30))], folder)
    assert {verdict.detail.split(",")[0] for verdict in found.values()} == {"held/a.jsonl", "held/deep/b.jsonl.gz"}
    assert CHECK.reads(ContaminationSettings(test_sets=(folder, one))) == [one, other]


def test_how_much_is_shared_decides(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "held.jsonl", [[prose(5, 60)]])
    half = review("half", f"{prose(5, 36)} {prose(6, 24)}")  # 24 of 48 runs
    third = review("third", f"{prose(5, 28)} {prose(7, 32)}")  # 16 of 48
    tenth = review("tenth", f"{prose(5, 17)} {prose(8, 43)}")  # 5 of 48
    found = judged([half, third, tenth], path)
    assert {key: (one.score, one.remedy, one.reason) for key, one in found.items()} == {
        half.example_id: (0.5, "reject", "overlaps a test set"),
        third.example_id: (round(16 / 48, 6), "keep", "overlaps a test set"),
    }
    assert judged([third], path, share=0.3)[third.example_id].remedy == "reject"


def test_short_texts_stand_in_a_test_set_where_one_row_has_all_of_them(tmp_path: Path) -> None:
    def graded(identity: str, query: str, product: str) -> Example:
        return Example("graded", "corpus", identity, "ind", "us", (), {"query": query, "product": product}, "E")

    rows = [
        {"q": "Steel kettle!", "p": ["Halden kettle, 2 quarts", "a pan"]},
        {"q": "copper kettle", "p": ["Brixholm kettle"]},
    ]
    path = write_lines(tmp_path / "held.jsonl", rows)
    same = graded("same", "steel kettle", "halden kettle 2 quarts")
    apart = graded("apart", "copper kettle", "halden kettle 2 quarts")
    part = graded("part", "steel", "halden kettle 2 quarts")
    (verdict,) = judged([same, apart, part], path).values()
    assert (verdict.example_id, verdict.reason) == (same.example_id, "stands in a test set")
    assert verdict.detail == "held.jsonl, line 1: the same texts"


def title(seed: int) -> str:
    return f'{prose(seed, 6)} {seed} \u2033 "new"'


def pair_of(names: tuple[str, str], seeds: tuple[int, int]) -> Example:
    fields = dict(zip(names, map(title, seeds), strict=True))
    return Example("titles", "corpus", f"{names} {seeds}", "ind", "us", (), fields, "yes")


def history_of(seeds: Sequence[int]) -> Example:
    items = tuple(Item(str(seed), title(seed)) for seed in seeds[:-1])
    options = (Option("k", title(seeds[-1]), "k"),)
    return Example("history", "corpus", f"{seeds}", "ind", "us", (), {}, "k", context=items, options=options)


def as_json(labels: Sequence[str], texts: Sequence[str]) -> str:
    return json.dumps(dict(zip(labels, texts, strict=True)))


def as_lines(labels: Sequence[str], texts: Sequence[str]) -> str:
    return "\n".join(f"{label}: {text}" for label, text in zip(labels, texts, strict=True))


@pytest.mark.parametrize("laid_out", [as_json, as_lines])
@pytest.mark.parametrize(
    ("names", "labels"),
    [(("query", "product"), ("query", "product title")), (("left", "right"), ("product 1", "product 2"))],
)
def test_titles_are_found_in_inputs_that_are_laid_out(
    laid_out: Callable[[Sequence[str], Sequence[str]], str],
    names: tuple[str, str],
    labels: tuple[str, str],
    tmp_path: Path,
) -> None:
    planted = [pair_of(names, (seed, seed + 100)) for seed in range(40)]
    apart = [pair_of(names, (seed, seed + 101)) for seed in range(40)]
    named = [Example("t", "c", "n", "ind", "us", (), dict(zip(names, labels, strict=True)), "yes")]
    rows = [
        {"instruction": "Do they fit?", "input": laid_out(labels, list(map(str, one.fields.values()))), "output": "no"}
        for one in planted
    ]
    found = judged([*planted, *apart, *named], write_lines(tmp_path / "held.jsonl", rows))
    assert set(found) == {one.example_id for one in planted}


@pytest.mark.parametrize("form", ["json", "{place}. {text}", "{place}th: {text}", "- {text}", "{text}"])
@pytest.mark.parametrize("lettered", [True, False])
def test_histories_are_found_in_inputs_that_are_laid_out(form: str, lettered: bool, tmp_path: Path) -> None:
    planted = [range(seed, seed + 4) for seed in range(0, 120, 4)]
    apart = [range(seed, seed + 4) for seed in range(2, 120, 4)]
    rows = []
    for seeds in planted:
        history, options = list(map(title, seeds[:-1])), [title(seeds[-1]), "another"]
        lines = [form.format(place=place, text=text) for place, text in enumerate(history, start=1)]
        told = [f"{letter}: {text}" for letter, text in zip("AB", options, strict=True)]
        rows.append(
            {
                "input": json.dumps({"history": history}) if form == "json" else "\n".join(lines),
                "options": "\n".join(told) if lettered else json.dumps(options),
            }
        )
    path = write_lines(tmp_path / "held.jsonl", rows)
    examples = {history_of(seeds).example_id for seeds in planted}
    assert set(judged([history_of(seeds) for seeds in [*planted, *apart]], path)) == examples


def test_laid_out_text_is_found_whatever_stands_around_it(tmp_path: Path) -> None:
    inputs = {
        "after a list number and a label": "1. Query: steel kettle",
        "with a colon": "Product: Halden: the kettle",
        "over two lines": "Question: does it\n  whistle\nReview snippets:\n1. it does",
        "over the last lines": "Question: any news?\nReview: no\n\nbut soon",
        "JSON within JSON": json.dumps({"messages": json.dumps([{"content": "Query: tin pan"}])}),
    }
    path = write_lines(tmp_path / "held.jsonl", [{"input": text} for text in inputs.values()])
    texts = ["steel kettle", "halden the kettle", "does it whistle", "no but soon", "tin pan"]
    others = ["query", "product", "review snippets", "content", "messages", "whistle it", "kettle"]
    found = judged([review(text, text) for text in [*texts, *others]], path)
    assert set(found) == {review(text, text).example_id for text in texts}


def test_odd_strings_are_read_over(tmp_path: Path) -> None:
    odd = ["[" * 50_000, "{", '"', '"\\ud800"', ":", "1.\n-\n:", "\u2028", "a" * 50 + ": b", '{"a": 1e999}', "\n" * 9]
    path = write_lines(tmp_path / "held.jsonl", [odd, {"text": PROSE}])
    assert len(judged([review("a", PROSE), review("b", "of its own")], path)) == 1


def test_one_path_and_one_column_are_lists_of_one() -> None:
    alone = ContaminationSettings.model_validate({"test_sets": "held.jsonl", "columns": "input"})
    assert alone == ContaminationSettings(test_sets=(Path("held.jsonl"),), columns=("input",))


def test_a_row_of_many_short_strings_is_searched_once_for_each(tmp_path: Path) -> None:
    count = 20_000
    examples = [review(str(number), f"title number {number}") for number in range(count)]
    path = write_lines(tmp_path / "held.jsonl", [[f"title number {number}" for number in range(0, count, 2)]] * 2)
    found = judged(examples, path)
    assert set(found) == {one.example_id for one in examples[::2]}
    assert {verdict.detail.split(":")[0] for verdict in found.values()} == {"held.jsonl, line 1"}


def test_only_the_columns_asked_for_are_read(tmp_path: Path) -> None:
    rows = [{"input": {"deep": [PROSE]}, "other": prose(9, 30), "number": 3}]
    lines = write_lines(tmp_path / "held.jsonl", rows)
    parquet = tmp_path / "held.parquet"
    pq.write_table(pa.Table.from_pylist(rows), parquet)
    seen, unseen = review("a", PROSE), review("b", prose(9, 30))
    for path in (lines, parquet):
        assert set(judged([seen, unseen], path, columns=("input",))) == {seen.example_id}
        with pytest.raises(UserError, match="no column called 'inptu'"):
            judged([seen], path, columns=("inptu",))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"a": "b"}\n{"a": \n', r"line 2, column 6: Expecting value\.$"),
        (b'\n{"a": "b"}\n\n"\xff"\n', "line 4"),
        (b"[" * 100_000, "line 1"),
    ],
    ids=["cut short", "no text", "too deep"],
)
def test_a_line_that_is_no_json_is_named(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "held.jsonl"
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"held.jsonl is not JSON lines: {told}"):
        judged([review("a", PROSE)], path)


def test_not_a_number_and_a_byte_order_mark_are_read_over(tmp_path: Path) -> None:
    path = tmp_path / "held.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps({"text": PROSE, "score": float("nan")}).encode())
    assert len(judged([review("a", PROSE)], path)) == 1


def test_paths_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.jsonl.gz"
    damaged.write_bytes(gzip.compress(b'"a"\n' * 1000)[:-20])
    rotten = tmp_path / "rotten.parquet"
    rotten.write_bytes(b"PAR1 and no more")
    (tmp_path / "empty").mkdir()
    (tmp_path / "held.txt").write_text("text")
    for name in ("gone.jsonl", "empty", "held.txt", "damaged.jsonl.gz", "rotten.parquet"):
        with pytest.raises(UserError, match=name):
            judged([review("a", PROSE)], tmp_path / name)
    with pytest.raises(UserError, match="does not exist"):
        CHECK.reads(ContaminationSettings(test_sets=(tmp_path / "gone.jsonl",)))


# Few words and short runs, so that texts overlap by chance.
texts = st.lists(st.sampled_from(["a", "b", "c", "Ünd", "e_1", "\u8336"]), max_size=12).map(" ".join)
contents = st.lists(texts, min_size=1, max_size=3)


def made(rows: Sequence[Sequence[str]]) -> list[Example]:
    return [
        Example("t", "corpus", str(number), "ind", "us", (), {str(place): text for place, text in enumerate(row)}, "a")
        for number, row in enumerate(rows)
    ]


def expected_overlap(example: Example, rows: Sequence[Any], size: int) -> float:
    own = runs(content_texts(example), size)
    if own:
        return len(own & runs(strings(rows), size)) / len(own)
    short = {tuple(words(text)) for text in content_texts(example)} - {()}
    return float(bool(short) and any(short <= {tuple(words(text)) for text in strings(row)} for row in rows))


@given(
    st.lists(contents, max_size=8), st.lists(contents, max_size=6), st.integers(1, 5), st.sampled_from([0.3, 0.5, 1])
)
def test_overlaps_are_those_of_comparing_everything(
    tmp_path_factory: pytest.TempPathFactory,
    ours: list[list[str]],
    theirs: list[list[str]],
    size: int,
    share: float,
) -> None:
    path = write_lines(tmp_path_factory.getbasetemp() / "held.jsonl", theirs)
    found = judged(made(ours), path, ngram=size, share=share)
    expected = {one.example_id: expected_overlap(one, theirs, size) for one in made(ours)}
    told = {key: round(score, 6) for key, score in expected.items() if score >= share / 2}
    assert {key: verdict.score for key, verdict in found.items()} == told
    assert {key for key, verdict in found.items() if verdict.remedy == "reject"} == {
        key for key, score in expected.items() if score >= share
    }
    assert found == judged(made(ours)[::-1], path, ngram=size, share=share)


def test_a_test_set_of_many_blocks_is_read_as_one_of_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = [review(str(seed), f"{prose(seed, 30)} {prose(-1, 30)}") for seed in range(30)]
    examples += [review(f"short {seed}", prose(seed, 5)) for seed in range(30)]
    rows = [{"text": [prose(seed, 25), prose(seed, 5)]} for seed in range(0, 30, 2)] * 2
    path = write_lines(tmp_path / "held.jsonl", rows)
    whole = judged(examples, path, share=0.2)
    assert len(whole) == 30
    monkeypatch.setattr(contamination, "_BLOCK", 1)
    assert judged(examples, path, share=0.2) == whole
