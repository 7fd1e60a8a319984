"""Duplicates: the same content twice, with the same answer or another, and nearly the same, within a task or across.

Of the same content with the same answer, one example of a task is kept; with different answers none is, since nothing
says which is right. Nearly the same content is compared where content is prose: among titles a word more or less is
another product, and one query with many products is no repetition. Every field has to be nearly the same: two
questions on one text are two examples. What is costly (cutting texts into words, MinHash
signatures) is measured once and asks for no threshold; every pair is verified by the exact similarity.
"""

import hashlib
import json
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import Field

from ecinstruct_build import chance
from ecinstruct_build.check import PAIR_SCHEMA, Check, CheckSettings, Evidence, Verdict
from ecinstruct_build.example import Example, dump_json
from quality.content import answer_form, content_texts, fields_by_name
from quality.similarity.minhash import PERMUTATIONS, signatures, similar_pairs
from quality.similarity.shingles import WORDS_TYPE, Shingled, from_arrow, shingled, words

TITLE_TASKS = (
    "multiclass_product_classification",
    "product_matching",
    "product_relation_prediction",
    "product_substitute_identification",
    "query_product_ranking",
    "sequential_recommendation",
)

EXACT = "exact duplicate"
CONTRADICTING = "contradicting duplicate"
NEAR = "near duplicate"
EXACT_ACROSS = "same content in another task"
NEAR_ACROSS = "near duplicate in another task"
MISS = "almost a near duplicate"

_Row = tuple[str, str, str, float]
_SIDES = ("left", "right")  # fields of which neither comes first
_LEAST = 0.01  # similarity from which on texts can be compared at all

MEASURE_SCHEMA = pa.schema(
    [
        pa.field("example_id", pa.string(), nullable=False),
        pa.field("content", pa.binary(16)),
        pa.field("words", WORDS_TYPE, nullable=False),
        pa.field("signature", pa.list_(pa.uint32(), PERMUTATIONS), nullable=False),
    ]
)
"""What is measured: a digest of the content (null if blank), its distinct words (or runs) and their signature."""


class DuplicateSettings(CheckSettings):
    """Settings of the duplicates check.

    Attributes
    ----------
    threshold
        Jaccard similarity of word sets from which content is nearly the same.
    margin
        How far below the threshold similar content is recorded as a near miss; 0 records none.
    shingle
        Words in a row that are compared as one; 1 compares sets of words.
    min_words
        Distinct words (or runs) that content has at least to be compared for near duplicates.
    exact_only
        Tasks whose content is titles, in which only exact duplicates are looked for.
    across
        What becomes of an example whose content another task has too: ``reject`` leaves it out, ``flag`` records it
        (the split keeps the two together either way).
    """

    threshold: float = Field(default=0.8, gt=0, le=1)
    margin: float = Field(default=0.05, ge=0, lt=1)
    shingle: int = Field(default=1, ge=1)
    min_words: int = Field(default=8, ge=1)
    exact_only: tuple[str, ...] = TITLE_TASKS
    across: Literal["reject", "flag"] = "flag"

    @property
    def tasks_named(self) -> Collection[str]:
        """The tasks of titles."""
        return self.exact_only


@dataclass(frozen=True)
class Cluster:
    """Examples that are joined by pairs of similar ones.

    Attributes
    ----------
    members
        Their ids, sorted.
    pairs
        Rows of `PAIR_SCHEMA` as (left, right, reason, score), sorted.
    """

    members: tuple[str, ...]
    pairs: tuple[_Row, ...]


class _Edge(NamedTuple):
    """An earlier example that one is like."""

    score: float
    peer: int
    reason: str


@dataclass(frozen=True)
class _Measured:
    """The columns of `MEASURE_SCHEMA`, example by example in the order asked for.

    The signature of example ``i`` is ``signatures[rows[i]]``: putting them in order would copy them all.
    """

    content: Sequence[bytes | None]
    texts: Shingled
    signatures: npt.NDArray[np.uint32]
    rows: npt.NDArray[np.int64]


def measure(examples: Sequence[Example], settings: DuplicateSettings) -> pa.Table:
    """Return what the content of examples is compared by, in `MEASURE_SCHEMA`, ordered by example id."""
    unique = {example.example_id: example for example in examples}
    ids = sorted(unique)
    contents = [content_texts(_one_way_round(unique[example_id])) for example_id in ids]
    texts = shingled([" ".join(content) for content in contents], settings.shingle)
    flat = pa.array(signatures(texts).ravel())
    columns = [
        pa.array(ids, pa.string()),
        pa.array([_digest(content) for content in contents], pa.binary(16)),
        texts.to_arrow(),
        pa.FixedSizeListArray.from_arrays(flat, PERMUTATIONS),
    ]
    return pa.table(columns, schema=MEASURE_SCHEMA)


def _one_way_round(example: Example) -> Example:
    """Put two listings in one order: the other way round they are the same pair."""
    sides = [example.fields[name] for name in _SIDES if name in example.fields]
    if len(sides) < len(_SIDES):
        return example
    ordered = sorted(sides, key=lambda side: words(dump_json(side)))
    return replace(example, fields={**example.fields, **dict(zip(_SIDES, ordered, strict=True))})


def judge(examples: Sequence[Example], settings: DuplicateSettings, evidence: Evidence) -> list[Verdict]:
    """Find examples that repeat or contradict another one, of their task or another.

    Which of several is kept is chance's, by example id. Every one that is rejected or flagged as a duplicate names a
    kept example with their exact similarity; contradicting ones name one of another answer.

    Raises
    ------
    ValueError
        If the measures are not of these examples, one row each.
    """
    unique = {example.example_id: example for example in examples}
    ranked = sorted(
        unique.values(),
        key=lambda example: (chance.digest(evidence.seed, "duplicates", example.example_id), example.example_id),
    )
    measures = measure(ranked, settings) if evidence.measures is None else evidence.measures
    measured = _read(measures, [example.example_id for example in ranked])
    verdicts, copies = _repeated(ranked, measured.content)
    gone = {verdict.example_id for verdict in verdicts}
    distinct = [rank for rank, example in enumerate(ranked) if rank not in copies and example.example_id not in gone]
    edges = _near_edges(ranked, distinct, measured, settings)
    for rank, found in _same_elsewhere(distinct, measured.content).items():
        same = {edge.peer for edge in found}
        edges[rank] = found + [edge for edge in edges.get(rank, []) if edge.peer not in same]
    verdicts += _decide(ranked, edges, copies, settings)
    return sorted(verdicts, key=lambda verdict: (verdict.example_id, verdict.reason))


def similar_examples(measures: pa.Table, threshold: float, min_words: int) -> pa.Table:
    """Return the pairs of examples, of whatever tasks, whose content is the same or nearly so.

    Parameters
    ----------
    measures
        Rows of `MEASURE_SCHEMA` of the examples that are asked about, in any order.
    threshold
        Least Jaccard similarity of their words.
    min_words
        Distinct words that both have at least, unless their content is the same.

    Returns
    -------
    Verified pairs in `PAIR_SCHEMA`, sorted, with the reason ``near duplicate``. Examples of the same content are
    each paired with the first of them by id; in a crowd of look-alikes every one is paired with the first ones by id.

    Raises
    ------
    ValueError
        If an example is measured twice.
    """
    ids = sorted(measures["example_id"].to_pylist())
    measured = _read(measures, ids)
    first: dict[bytes, int] = {}
    scores: dict[tuple[int, int], float] = {}
    for place, content in enumerate(measured.content):
        if content is not None and (earlier := first.setdefault(content, place)) != place:
            scores[earlier, place] = 1.0
    copies = {place for _, place in scores}
    places = [place for place in range(len(ids)) if place not in copies]
    scores |= {(left, right): score for left, right, score in _alike(measured, places, threshold, min_words)}
    return _pair_table([(ids[left], ids[right], NEAR, score) for (left, right), score in sorted(scores.items())])


def clusters(pairs: pa.Table) -> list[Cluster]:
    """Group the pairs of a table in `PAIR_SCHEMA` that share examples: larger groups first, then by first member."""
    group: dict[str, list[str]] = {}
    rows: list[_Row] = sorted(set(zip(*(pairs[name].to_pylist() for name in PAIR_SCHEMA.names), strict=True)))
    for left, right, _, _ in rows:
        one, other = group.setdefault(left, [left]), group.setdefault(right, [right])
        if one is not other:
            large, small = (one, other) if len(one) >= len(other) else (other, one)
            large.extend(small)
            group.update(dict.fromkeys(small, large))
    of_group: dict[int, list[_Row]] = defaultdict(list)
    for row in rows:
        of_group[id(group[row[0]])].append(row)
    found = [Cluster(tuple(sorted(group[linked[0][0]])), tuple(linked)) for linked in of_group.values()]
    return sorted(found, key=lambda cluster: (-len(cluster.members), cluster.members))


def _pair_table(rows: Sequence[_Row]) -> pa.Table:
    return pa.table([list(column) for column in zip(*rows, strict=True)] or [[]] * 4, schema=PAIR_SCHEMA)


def _read(measures: pa.Table, ids: Sequence[str]) -> _Measured:
    """Return the measures of the examples named, in that order."""
    held = measures["example_id"].to_pylist()
    place = {example_id: position for position, example_id in enumerate(held)}
    if len(place) != len(held):
        raise ValueError(f"{len(held) - len(place)} measures are of examples measured already")
    if len(ids) != len(place) or any(example_id not in place for example_id in ids):
        lacking = sum(example_id not in place for example_id in ids)
        raise ValueError(f"{len(ids)} examples but {len(place)} measures, {lacking} examples without one")
    order = np.fromiter((place[example_id] for example_id in ids), np.int64, len(ids))
    content = measures["content"].to_pylist()
    chunks = [np.asarray(np.from_dlpack(chunk.flatten()), np.uint32) for chunk in measures["signature"].chunks]
    signed = chunks[0] if len(chunks) == 1 else np.concatenate([np.empty(0, np.uint32), *chunks])
    texts = from_arrow(measures["words"]).take(order)
    return _Measured([content[position] for position in order], texts, signed.reshape(-1, PERMUTATIONS), order)


def _repeated(ranked: Sequence[Example], contents: Sequence[bytes | None]) -> tuple[list[Verdict], dict[int, int]]:
    """Return the verdicts on contradicting examples of a task, and for each repeated one the one that stands for it."""
    alike: dict[tuple[str, bytes], list[int]] = defaultdict(list)
    for rank, content in enumerate(contents):
        if content is not None:
            alike[ranked[rank].task, content].append(rank)
    verdicts: list[Verdict] = []
    copies: dict[int, int] = {}
    for group in alike.values():
        if len(group) == 1:
            continue
        answers = [answer_form(ranked[rank]) for rank in group]
        if len(set(answers)) == 1:
            copies |= dict.fromkeys(group[1:], group[0])
            continue
        other = next(place for place, answer in enumerate(answers) if answer != answers[0])
        for rank, answer in zip(group, answers, strict=True):
            place = other if answer == answers[0] else 0
            detail = f"{answer[:80]} against {answers[place][:80]}"
            peer = ranked[group[place]].example_id
            verdicts.append(Verdict(ranked[rank].example_id, CONTRADICTING, 1.0, peer, detail))
    return verdicts, copies


def _near_edges(
    ranked: Sequence[Example], distinct: Sequence[int], measured: _Measured, settings: DuplicateSettings
) -> dict[int, list[_Edge]]:
    """Return, for each example of a prose task, the earlier ones that it is like, near misses included."""
    prose = [rank for rank in distinct if ranked[rank].task not in settings.exact_only]
    fields = cache(lambda rank: {name: frozenset(words(text)) for name, text in fields_by_name(ranked[rank]).items()})
    edges: dict[int, list[_Edge]] = defaultdict(list)
    for left, right, score in _alike(measured, prose, settings.threshold - settings.margin, settings.min_words):
        within = ranked[left].task == ranked[right].task
        if within and _least_alike(fields(left), fields(right)) < settings.threshold - settings.margin:
            continue  # one text with two questions
        reason = MISS if score < settings.threshold else NEAR if within else NEAR_ACROSS
        edges[right].append(_Edge(score, left, reason))
    return edges


def _least_alike(one: Mapping[str, frozenset[str]], other: Mapping[str, frozenset[str]]) -> float:
    """Return the Jaccard similarity of the field that differs most."""
    if one.keys() != other.keys():
        return 0.0
    return min(
        (
            len(one[name] & other[name]) / max(1, len(one[name] | other[name]))
            for name in one
            if one[name] | other[name]
        ),
        default=1.0,
    )


def _alike(
    measured: _Measured, places: Sequence[int], threshold: float, min_words: int
) -> Iterable[tuple[int, int, float]]:
    """Return the similar ones among the texts at ``places`` (ascending) that are long enough."""
    chosen = np.array(places, np.int64)
    chosen = chosen[measured.texts.sizes[chosen] >= min_words]
    signed = measured.signatures[measured.rows[chosen]]
    found = similar_pairs(measured.texts.take(chosen), signed, max(threshold, _LEAST))
    return zip(chosen[found.left].tolist(), chosen[found.right].tolist(), found.score.tolist(), strict=True)


def _same_elsewhere(distinct: Sequence[int], contents: Sequence[bytes | None]) -> dict[int, list[_Edge]]:
    """Return, for each example, the earlier ones of the same content, which are of other tasks."""
    seen: dict[bytes, list[int]] = defaultdict(list)
    edges = {}
    for rank in distinct:
        content = contents[rank]
        if content is not None:
            if seen[content]:
                edges[rank] = [_Edge(1.0, peer, EXACT_ACROSS) for peer in seen[content]]
            seen[content].append(rank)
    return edges


def _decide(
    ranked: Sequence[Example],
    edges: Mapping[int, Sequence[_Edge]],
    copies: Mapping[int, int],
    settings: DuplicateSettings,
) -> list[Verdict]:
    """Go by rank and reject what is like a kept one; what is the same as a rejected one goes by the same reason."""
    verdicts: list[Verdict] = []
    dropped: dict[int, Verdict] = {}

    def verdict(rank: int, edge: _Edge, remedy: Literal["reject", "flag", "keep"]) -> Verdict:
        peer = ranked[edge.peer].example_id
        return Verdict(ranked[rank].example_id, edge.reason, round(edge.score, 6), peer, remedy=remedy)

    for rank in sorted(edges):
        best: dict[str, _Edge] = {}
        for edge in sorted(edges[rank], key=lambda edge: (-edge.score, edge.peer)):
            if edge.peer not in dropped:
                best.setdefault(edge.reason, edge)
        elsewhere = best.get(EXACT_ACROSS) or best.get(NEAR_ACROSS)
        if NEAR in best:
            dropped[rank] = verdict(rank, best[NEAR], "reject")
        elif elsewhere and settings.across == "reject":
            dropped[rank] = verdict(rank, elsewhere, "reject")
        else:
            verdicts += [verdict(rank, elsewhere, "flag")] if elsewhere else []
            verdicts += [verdict(rank, best[MISS], "keep")] if MISS in best else []
    verdicts += dropped.values()
    for rank, first in copies.items():
        if first in dropped:
            why = dropped[first]
            verdicts.append(Verdict(ranked[rank].example_id, why.reason, why.score, why.peer))
        else:
            verdicts.append(verdict(rank, _Edge(1.0, first, EXACT), "reject"))
    return verdicts


def _digest(content: Sequence[str]) -> bytes | None:
    """Return what is equal for equal content, whatever its case and spaces; None for blank content."""
    normal = [" ".join(unicodedata.normalize("NFKC", text).casefold().split()) for text in content]
    return hashlib.blake2b(json.dumps(normal).encode(), digest_size=16).digest() if any(normal) else None


CHECK = Check(
    name="duplicates",
    summary="Reject repeated and contradicting content, and in prose nearly repeated content; flag what tasks share.",
    settings=DuplicateSettings,
    judge=judge,
    scope="dataset",
    measure=measure,
    measured_by=("shingle",),
)
