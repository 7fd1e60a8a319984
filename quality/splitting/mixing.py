"""Mix the sources of a task: the order in which its examples fill quotas, so that every beginning holds the shares.

Each source's examples stay in their own keyed order; a source with a share of 0.2 provides about every fifth one, as in
weighted fair queueing. Where one has no more, the others go on in proportion to theirs. So a source that comes or goes
changes how many examples of another are taken, and never which of them come first.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ecinstruct_build.task import TaskSettings


@dataclass(frozen=True)
class Mixing:
    """The tasks of which sources are to be mixed, and the source of each of their examples.

    Attributes
    ----------
    weights
        By task: the weight of each source.
    sources
        By example_id: the source.
    """

    weights: Mapping[str, Mapping[str, float]]
    sources: Mapping[str, str]

    def ordered(self, task: str, example_ids: Sequence[str], groups: Sequence[int]) -> list[int]:
        """Return the places of a task's examples, which come in keyed order, in the order in which they fill quotas.

        Parameters
        ----------
        task, example_ids
            The examples.
        groups
            A number for each, such as its split: the shares hold in every beginning of each group.
        """
        weights = self.weights[task]
        met: Counter[tuple[int, str]] = Counter()
        turns = []
        for place, (example_id, group) in enumerate(zip(example_ids, groups, strict=True)):
            source = self.sources[example_id]
            turns.append((turn_of(met[group, source], weights[source]), place))
            met[group, source] += 1
        places: defaultdict[int, list[int]] = defaultdict(list)
        for _, place in sorted(turns):
            places[groups[place]].append(place)
        waiting = {group: iter(found) for group, found in places.items()}
        return [next(waiting[group]) for group in groups]


def turn_of(number: int, weight: float) -> float:
    """Return when the ``number``-th example of a source, from 0, has its turn; a source without weight comes last."""
    return (2 * number + 1) / weight if weight > 0 else float("inf")


def mixing_of(settings: Mapping[str, TaskSettings], sources: Mapping[str, Mapping[str, str]]) -> Mixing | None:
    """Return how the sources of tasks are mixed, or None where no task asks for shares.

    Parameters
    ----------
    settings
        By task.
    sources
        By task that asks for shares: the source of each example, by example_id.
    """
    weights = {task: weights_of(settings[task], found.values()) for task, found in sources.items()}
    return Mixing(weights, {key: one for found in sources.values() for key, one in found.items()}) if weights else None


def weights_of(settings: TaskSettings, sources: Iterable[str]) -> dict[str, float]:
    """Return the share that each source of a task is to have: the stated one, or an equal part of what is left over.

    Parameters
    ----------
    settings
        The task's.
    sources
        Those that examples are of, in any order and number; sources with a stated share need not be among them.
    """
    stated = {} if settings.shares == "equal" else settings.shares
    rest = sorted(set(sources) - stated.keys())
    left_over = max(0.0, 1.0 - math.fsum(stated.values()))  # whatever order they are stated in
    return {**stated, **{source: left_over / len(rest) for source in rest}}
