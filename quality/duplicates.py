"""Duplicates within a task: the same content twice, with the same answer or another, and nearly the same content.

Of the same content with the same answer, one example is kept; with different answers none is, since nothing says
which is right. Nearly the same content is compared where content is prose: among titles a word more or less is
another product, and one query with many products is no repetition.
"""

import unicodedata
from collections.abc import Sequence

from pydantic import Field

from ecinstruct_build import chance
from ecinstruct_build.check import Check, CheckSettings, Evidence, Verdict
from ecinstruct_build.example import Example
from quality.content import answer_form, content_texts
from quality.minhash import shingled, similar_pairs

TITLE_TASKS = (
    "multiclass_product_classification",
    "product_matching",
    "product_relation_prediction",
    "product_substitute_identification",
    "query_product_ranking",
    "sequential_recommendation",
)


class DuplicateSettings(CheckSettings):
    """Settings of the duplicates check.

    Attributes
    ----------
    threshold
        Jaccard similarity of word sets from which content is nearly the same.
    shingle
        Words in a row that are compared as one; 1 compares sets of words.
    min_words
        Distinct words (or runs) that content has at least to be compared for near duplicates.
    exact_only
        Tasks whose content is titles, in which only exact duplicates are looked for.
    """

    threshold: float = Field(default=0.8, gt=0, le=1)
    shingle: int = Field(default=1, ge=1)
    min_words: int = Field(default=8, ge=1)
    exact_only: tuple[str, ...] = TITLE_TASKS


def judge(examples: Sequence[Example], settings: DuplicateSettings, evidence: Evidence) -> list[Verdict]:
    """Find examples that repeat or contradict another one of the task.

    Which of several is kept is chance's, by example id. Every near duplicate names a kept example that it is
    verified to be similar to.
    """
    ranked = sorted(
        {example.example_id: example for example in examples}.values(),
        key=lambda example: (chance.digest(evidence.seed, "duplicates", example.example_id), example.example_id),
    )
    verdicts, distinct = _exact(ranked)
    verdicts += _near([example for example in distinct if example.task not in settings.exact_only], settings)
    return sorted(verdicts, key=lambda verdict: (verdict.example_id, verdict.reason))


def _exact(ranked: Sequence[Example]) -> tuple[list[Verdict], list[Example]]:
    """Return the verdicts on examples of the same content, and the examples that are left."""
    alike: dict[tuple[str, ...], list[Example]] = {}
    for example in ranked:
        content = tuple(map(_normal, content_texts(example)))
        alike.setdefault(content if any(content) else (example.example_id,), []).append(example)
    verdicts: list[Verdict] = []
    distinct: list[Example] = []
    for group in alike.values():
        answers = [answer_form(example) for example in group]
        if len(set(answers)) == 1:
            distinct.append(group[0])
            peer = group[0].example_id
            verdicts += [Verdict(example.example_id, "exact duplicate", 1.0, peer) for example in group[1:]]
            continue
        for example, answer in zip(group, answers, strict=True):
            position = next(number for number, other in enumerate(answers) if other != answer)
            detail = f"{answer[:80]} against {answers[position][:80]}"
            verdicts.append(
                Verdict(example.example_id, "contradicting duplicate", 1.0, group[position].example_id, detail)
            )
    return verdicts, distinct


def _near(ranked: Sequence[Example], settings: DuplicateSettings) -> list[Verdict]:
    """Return the verdicts on examples that are nearly the same as one that is kept, going by rank."""
    texts = shingled([" ".join(content_texts(example)) for example in ranked], settings.shingle)
    pairs = similar_pairs(texts, settings.threshold, [f"{rank:012}" for rank in range(len(ranked))])
    earlier: dict[int, list[tuple[float, int]]] = {}
    for pair in pairs:
        if min(len(texts.sets[pair.left]), len(texts.sets[pair.right])) >= settings.min_words:
            earlier.setdefault(pair.right, []).append((-pair.score, pair.left))
    verdicts: list[Verdict] = []
    dropped: set[int] = set()
    for rank in sorted(earlier):
        for score, peer in sorted(earlier[rank]):
            if peer not in dropped:
                dropped.add(rank)
                verdicts.append(
                    Verdict(ranked[rank].example_id, "near duplicate", round(-score, 6), ranked[peer].example_id)
                )
                break
    return verdicts


def _normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


CHECK = Check(
    name="duplicates",
    summary="Reject repeated and contradicting content, and in prose nearly repeated content.",
    settings=DuplicateSettings,
    judge=judge,
)
