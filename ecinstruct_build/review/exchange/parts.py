"""Which items of a sample are handed to whom."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ecinstruct_build.errors import UserError, did_you_mean
from ecinstruct_build.review.annotators import name_key
from ecinstruct_build.review.desk import Answer
from ecinstruct_build.review.sample import ReviewItem, ReviewSample


@dataclass(frozen=True)
class Part:
    """A part of a sample; what is not said does not narrow it.

    Attributes
    ----------
    annotator
        Who is to judge it; their name is filled in where the format has room for it.
    numbers
        The items, by number; see `deal`.
    task
        One task only.
    doubled
        True: only items that two people judge; False: only the others.
    """

    annotator: str = ""
    numbers: Sequence[int] | None = None
    task: str = ""
    doubled: bool | None = None


WHOLE = Part()


def items_of(sample: ReviewSample, part: Part = WHOLE) -> list[ReviewItem]:
    """Return the items of a part, in the order of the sample.

    Raises
    ------
    UserError
        If the sample has no such item or task, or the part holds nothing.
    """
    tasks = sorted({item.task for item in sample.items})
    if part.task and part.task not in tasks:
        raise UserError(
            f"The sample has no task '{part.task}'.{did_you_mean(part.task, tasks)} It has: {', '.join(tasks)}."
        )
    wanted = None if part.numbers is None else set(part.numbers)
    if wanted and (unknown := sorted(wanted - {item.number for item in sample.items})):
        raise UserError(f"The sample has no item {unknown[0]}; its items are 1 to {len(sample.items)}.")
    chosen = [
        item
        for item in sample.items
        if (wanted is None or item.number in wanted)
        and part.task in ("", item.task)
        and part.doubled in (None, item.doubled)
    ]
    if not chosen:
        raise UserError("There is nothing to hand over: no item of the sample is in that part of it.")
    return chosen


def deal(
    sample: ReviewSample, annotators: Sequence[str], answers: Sequence[Answer] = ()
) -> Mapping[str, tuple[int, ...]]:
    """Deal all items out to people, evenly: a single one to one person, a doubled one to two.

    Who gets which does not depend on what has been judged, nor on the order or case of the names, so that shares dealt
    at different moments fit together. What a person need not judge any more is then left out of their share.

    Parameters
    ----------
    sample
        The sample.
    annotators
        Their names.
    answers
        What has been judged, by them or by others.

    Returns
    -------
    Mapping
        By annotator: the numbers of the items, ascending.
    """
    judges: dict[int, set[str]] = defaultdict(set)
    for answer in answers:
        judges[answer.number].add(name_key(answer.annotator))
    names: dict[str, str] = {}
    for name in annotators:
        names.setdefault(name_key(name), name)
    order = sorted(names)
    sizes = dict.fromkeys(order, 0)
    shares: dict[str, list[int]] = {key: [] for key in order}
    for item in sample.items:
        wanted = 2 if item.doubled else 1
        dealt = sorted(order, key=lambda key: (sizes[key], key))[:wanted]
        for key in dealt:
            sizes[key] += 1
        judged = judges[item.number]
        for key in [key for key in dealt if key not in judged][: max(0, wanted - len(judged))]:
            shares[key].append(item.number)
    return {name: tuple(sorted(shares[name_key(name)])) for name in names.values()}
