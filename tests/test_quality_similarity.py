"""Similarity of texts: how they are cut, what their signatures are, and how surely similar pairs are found."""

import gzip
import itertools
import json
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import xxhash
from datasketch import MinHash
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from quality.similarity.minhash import PERMUTATIONS, signatures, similar_pairs
from quality.similarity.shingles import Shingled, from_arrow, shingled, words


def random_texts(count: int) -> list[str]:
    """Texts of 10 to 40 words, a third of them another one with a few words changed."""
    order = random.Random(8)
    made: list[list[str]] = []
    for _ in range(count):
        if made and order.random() < 0.35:
            text = list(order.choice(made))
            for _ in range(order.randint(0, 6)):
                text[order.randrange(len(text))] = f"w{order.randrange(3000)}"
        else:
            text = [f"w{order.randrange(3000)}" for _ in range(order.randint(10, 40))]
        made.append(text)
    return [" ".join(text) for text in made]


def runs(text: str, size: int) -> set[str]:
    parts = words(text)
    return {" ".join(parts[start : start + size]) for start in range(max(1, len(parts) - size + 1))} - {""}


@given(st.lists(st.text() | st.text("aB_é1 .\n\ufb01ß\u0130", max_size=30), max_size=12), st.integers(1, 3))
def test_texts_are_cut_in_bulk_as_one_by_one(texts: list[str], size: int) -> None:
    cut = shingled(texts, size)
    back = from_arrow(pa.chunked_array([cut.to_arrow()]))
    for held in (cut, back):
        sets = np.split(held.numbers, held.offsets[1:-1]) if texts else []
        assert [{held.shingles[number] for number in part} for part in sets] == [runs(text, size) for text in texts]


def test_signatures_are_those_of_datasketch() -> None:
    texts = [*random_texts(20), "one", " ".join(f"w{n}" for n in range(2500)), ""]
    mine = signatures(shingled(texts))
    for row, text in enumerate(texts):
        theirs = MinHash(num_perm=PERMUTATIONS, hashfunc=xxhash.xxh32_intdigest)
        theirs.update_batch([word.encode() for word in set(words(text))])
        assert np.array_equal(mine[row], theirs.hashvalues)


def true_pairs(texts: Shingled, threshold: float) -> dict[tuple[int, int], float]:
    """All pairs at least as similar as the threshold, by counting the words that any two texts share."""
    sizes = texts.sizes
    shape = (len(sizes), len(texts.shingles))
    members = csr_array((np.ones(len(texts.numbers), np.int32), texts.numbers, texts.offsets), shape=shape)
    found = {}
    for start in range(0, len(sizes), 500):
        shared = (members[start : start + 500] @ members.T).tocoo()
        left, right = shared.row + start, shared.col
        score = shared.data / (sizes[left] + sizes[right] - shared.data)
        keep = (score >= threshold) & (left < right)
        found |= dict(
            zip(zip(left[keep].tolist(), right[keep].tolist(), strict=True), score[keep].tolist(), strict=True)
        )
    return found


def pairs_found(texts: Shingled, threshold: float) -> dict[tuple[int, int], float]:
    pairs = similar_pairs(texts, signatures(texts), threshold)
    return dict(zip(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True), pairs.score.tolist(), strict=True))


def test_nearly_all_similar_pairs_are_found_and_no_other() -> None:
    texts = shingled(random_texts(900))
    sets = [set(part.tolist()) for part in np.split(texts.numbers, texts.offsets[1:-1])]
    true = {
        (left, right)
        for left, right in itertools.combinations(range(900), 2)
        if len(sets[left] & sets[right]) >= 0.8 * len(sets[left] | sets[right])
    }
    assert set(true_pairs(texts, 0.8)) == true
    found = set(pairs_found(texts, 0.8))
    assert len(true) > 100
    assert found <= true
    assert len(found) >= 0.98 * len(true)


@pytest.fixture(scope="module")
def real_texts(real_corpora: Path) -> Shingled:
    """Every fifth of 106,329 real texts, those included that are much like one another."""
    path = real_corpora / "bench" / "docs_en_devsafe.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"no {path.name} among the real corpora")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return shingled([json.loads(line)["text"] for line in itertools.islice(lines, 0, 100_000, 5)])


@pytest.mark.slow
def test_recall_and_precision_on_real_texts(real_texts: Shingled) -> None:
    assert len(real_texts.sizes) == 20_000
    true = true_pairs(real_texts, 0.7)
    alike = {pair: score for pair, score in true.items() if score >= 0.8}
    found = pairs_found(real_texts, 0.8)
    assert len(alike) > 500
    assert found == {pair: alike[pair] for pair in found}
    assert len(found) >= 0.98 * len(alike)
    lower = pairs_found(real_texts, 0.7)
    assert lower == {pair: true[pair] for pair in lower}
    assert len(alike.keys() & lower.keys()) >= 0.999 * len(alike)
    print(f"recall at 0.8: {len(found) / len(alike):.4f}; asked at 0.7: {len(alike.keys() & lower) / len(alike):.5f}")
