"""Validity: answers that cannot be right, judged from the example alone.

What kind of answer an example has is told from its form: options with or without grades, a list of attribute
values, or a bare string, which is yes or no where nearly all bare answers of the task are.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, cast, get_args

from pydantic import Field

from ecinstruct_build.check import Check, CheckSettings, Evidence, Verdict
from ecinstruct_build.example import Example
from quality.content import content_texts
from quality.lexicon.contradiction import Extreme, contradiction
from quality.splitting.ties import right_keys

_ABSENT = "None"
_ROW = {"attribute", "value", "source"}
_NEARLY_ALL = 0.9


class ValiditySettings(CheckSettings):
    """Settings of the validity check.

    Attributes
    ----------
    grades
        Grades of options that are ranked, best first.
    contradictions
        Whether reviews are held against their stars.
    """

    grades: tuple[str, ...] = Field(default=("E", "S", "C", "I"), min_length=2)
    contradictions: bool = True


def judge(examples: Sequence[Example], settings: ValiditySettings, _evidence: Evidence) -> list[Verdict]:
    """Find examples whose answer is none, or cannot be right."""
    contradicts = cache(contradiction)
    binary = _is_binary(examples)
    verdicts: list[Verdict] = []
    for example in examples:
        if example.options:
            verdicts += _option_faults(example, settings, contradicts)
        elif isinstance(example.answer, str):
            verdicts += _string_faults(example, binary=binary)
        elif isinstance(example.answer, list | tuple):
            verdicts += _attribute_faults(example)
        elif example.answer:
            verdicts.append(Verdict(example.example_id, "answer of no known form", detail=str(example.answer)))
    return sorted(verdicts, key=lambda verdict: (verdict.example_id, verdict.reason, verdict.detail))


def _is_binary(examples: Sequence[Example]) -> bool:
    bare = [one.answer for one in examples if not one.options and isinstance(one.answer, str)]
    return sum(answer in ("yes", "no") for answer in bare) >= _NEARLY_ALL * max(1, len(bare))


def _option_faults(
    example: Example, settings: ValiditySettings, contradicts: Callable[[str, Extreme], str | None]
) -> Iterator[Verdict]:
    keys = {option.key for option in example.options}
    right = right_keys(example.answer)
    if not right or not set(right) <= keys:
        yield Verdict(example.example_id, "answer not among the options", detail=str(example.answer))
    elif not isinstance(example.answer, str):
        if len(right) != len(example.options) or set(right) != keys:
            yield Verdict(example.example_id, "ranking does not list every option once", detail=", ".join(right))
        yield from _grade_faults(example, right, settings.grades)
    elif settings.contradictions and keys >= set(get_args(Extreme)) and right[0] in get_args(Extreme):
        found = contradicts(" ".join(content_texts(example)), cast("Extreme", right[0]))
        if found:
            detail = f"{right[0]}: {found}"
            yield Verdict(example.example_id, "text contradicts its stars", detail=detail, remedy="flag")


def _grade_faults(example: Example, ranking: Sequence[str], order: Sequence[str]) -> Iterator[Verdict]:
    """Judge the grades of ranked options; options without any grade are not held against them."""
    grade_of = {option.key: option.grade for option in example.options}
    if not any(grade_of.values()):
        return
    unknown = sorted(set(grade_of.values()) - set(order))
    if unknown:
        yield Verdict(example.example_id, "option of an unknown grade", detail=", ".join(map(repr, unknown)))
        return
    if len(set(grade_of.values())) < len(example.options):
        yield Verdict(example.example_id, "options of one grade", detail=", ".join(sorted(grade_of.values())))
    places = [order.index(grade_of[key]) for key in ranking]
    if places != sorted(places):
        detail = ", ".join(grade_of[key] for key in ranking)
        yield Verdict(example.example_id, "ranking against the grades", detail=detail)


def _string_faults(example: Example, *, binary: bool) -> Iterator[Verdict]:
    answer = example.answer
    if binary and answer and answer not in ("yes", "no"):
        yield Verdict(example.example_id, "answer neither yes nor no", detail=answer)
    sides = example.fields.get("left"), example.fields.get("right")
    if answer == "no" and sides[0] and sides[0] == sides[1]:
        yield Verdict(example.example_id, "equal products that do not match", detail=str(sides[0]))


def _attribute_faults(example: Example) -> Iterator[Verdict]:
    rows = example.answer
    if not all(isinstance(row, Mapping) and set(row) == _ROW and all(map(_is_text, row.values())) for row in rows):
        yield Verdict(example.example_id, "malformed attribute answer", detail=str(rows))
        return
    for reason, detail in dict.fromkeys((*_question_faults(example, rows), *_evidence_faults(example, rows))):
        yield Verdict(example.example_id, reason, detail=detail)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _listed(example: Example, name: str) -> Sequence[Any]:
    value = example.fields.get(name)
    return value if isinstance(value, list | tuple) else ()


def _question_faults(example: Example, rows: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield (reason, detail) where the answer is not about what was asked."""
    asked = [str(name) for name in _listed(example, "attributes")]
    answered = list(dict.fromkeys(row["attribute"] for row in rows))
    if len(set(asked)) < len(asked):
        yield "attribute asked for twice", ", ".join(asked)
    for name in sorted(set(asked) - set(answered)):
        yield "attribute not answered", name
    for name in sorted(set(answered) - set(asked)):
        yield "attribute not asked for", name
    if set(asked) == set(answered) and list(dict.fromkeys(asked)) != answered:
        yield "attributes answered out of order", ", ".join(answered)
    values: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        values.setdefault(row["attribute"], []).append((row["value"], row["source"]))
    for name, given in values.items():
        if len(set(given)) < len(given) or (len(given) > 1 and _ABSENT in (value for value, _ in given)):
            yield "attribute answered twice", name


def _evidence_faults(example: Example, rows: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield (reason, detail) where a value does not stand in a paragraph of the source that it names."""
    texts: dict[str, list[str]] = {}
    for paragraph in _listed(example, "paragraphs"):
        if isinstance(paragraph, Mapping):
            texts.setdefault(str(paragraph.get("source")), []).append(str(paragraph.get("text")))
    for row in rows:
        value, source = row["value"], row["source"]
        if (value == _ABSENT) != (source == _ABSENT):
            yield "value without a source" if source == _ABSENT else "source without a value", row["attribute"]
        elif value != _ABSENT and not any(value in text for text in texts.get(source, ())):
            yield "value not in its paragraph", f"{value} ({source})"


CHECK = Check(
    name="validity",
    summary="Reject answers that cannot be right: none of the options, without evidence, or against the grades.",
    settings=ValiditySettings,
    judge=judge,
)
