"""Improve a packing of communities into splits, by moving one community at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

_PASSES = 6
_TINY = 1e-9
_NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Bundle:
    """Examples of one task that stand on the same communities.

    Attributes
    ----------
    task
        Number of the task.
    count
        How many examples there are.
    core
        Communities that must share a split for the examples to be kept.
    soft
        Communities of items that may be trimmed, with the number of items in each.
    need
        Items that must be left.
    """

    task: int
    count: int
    core: tuple[int, ...]
    soft: tuple[tuple[int, int], ...]
    need: int

    @property
    def units(self) -> tuple[int, ...]:
        """All communities that the examples stand on, once each."""
        return (*self.core, *(unit for unit, _ in self.soft if unit not in self.core))


@dataclass(slots=True)
class _Stand:
    """How one bundle stands.

    Attributes
    ----------
    bundle
        The bundle.
    core, soft
        How many of its core communities, and of its trimmable items, each split holds.
    seat
        The split that holds all of its core, or nowhere.
    home
        The split that keeps its examples, or nowhere.
    """

    bundle: Bundle
    core: list[int]
    soft: list[int]
    seat: int = _NOWHERE
    home: int = _NOWHERE

    def settle(self) -> None:
        whole = len(self.bundle.core)
        self.seat = self.core.index(whole) if whole in self.core else _NOWHERE
        fits = self.seat != _NOWHERE and self.soft[self.seat] >= self.bundle.need
        self.home = self.seat if fits else _NOWHERE

    def home_after(self, firm: int, loose: int, start: int, end: int) -> int:
        """Return the home if a community with a part in the core or with loose items moves."""
        if firm:
            fits = self.core[end] + 1 == len(self.bundle.core) and self.soft[end] + loose >= self.bundle.need
            return end if fits else _NOWHERE
        if self.seat == start:
            return start if self.soft[start] - loose >= self.bundle.need else _NOWHERE
        if self.seat == end:
            return end if self.soft[end] + loose >= self.bundle.need else _NOWHERE
        return self.home


class Refinement:
    """Moves communities while the cost, the sum over tasks and splits of share^2 / kept, falls.

    Where nothing crosses, its minimum is at the wanted shares; an example saved counts most where few are kept,
    so a small split is not given up for the sake of a large one.

    Parameters
    ----------
    bundles
        The examples.
    splits
        The split of each community to begin with.
    wanted
        The share to aim at, by task and split.
    order
        The communities in the order in which they are tried.
    """

    def __init__(
        self, bundles: Sequence[Bundle], splits: Sequence[int], wanted: Sequence[Sequence[float]], order: Sequence[int]
    ) -> None:
        self.splits = list(splits)
        self.wanted = wanted
        self.order = order
        self.ends = [split for split in range(len(wanted[0])) if any(shares[split] > 0 for shares in wanted)]
        self.kept = [[0] * len(shares) for shares in wanted]
        self.totals = [0] * len(wanted)
        self.stakes: list[list[tuple[_Stand, int, int]]] = [[] for _ in splits]  # community: (stand, core, items)
        for bundle in bundles:
            stand = _Stand(bundle, [0] * len(wanted[0]), [0] * len(wanted[0]))
            items = dict(bundle.soft)
            for unit in bundle.units:
                firm, loose = int(unit in bundle.core), items.get(unit, 0)
                self.stakes[unit].append((stand, firm, loose))
                stand.core[splits[unit]] += firm
                stand.soft[splits[unit]] += loose
            stand.settle()
            self.totals[bundle.task] += bundle.count
            if stand.home != _NOWHERE:
                self.kept[bundle.task][stand.home] += bundle.count

    def run(self) -> None:
        """Try every community, then again those that stand beside a moved one, until nothing helps."""
        waiting = set(self.order)
        for _ in range(_PASSES):
            moved = [unit for unit in self.order if unit in waiting and self._improve(unit)]
            waiting = {other for unit in moved for stand, _, _ in self.stakes[unit] for other in stand.bundle.units}
            if not waiting:
                return

    def cost(self) -> float:
        """Return what `run` makes smaller."""
        return sum(
            wanted**2 * total / (kept + 1)
            for shares, counts, total in zip(self.wanted, self.kept, self.totals, strict=True)
            for wanted, kept in zip(shares, counts, strict=True)
        )

    def _improve(self, unit: int) -> bool:
        start = self.splits[unit]
        best, best_gain = start, _TINY
        for end in self.ends:
            gain = self._gain(unit, start, end) if end != start else 0.0
            if gain > best_gain:
                best, best_gain = end, gain
        if best != start:
            self._move(unit, start, best)
        return best != start

    def _gain(self, unit: int, start: int, end: int) -> float:
        changes: dict[tuple[int, int], int] = {}
        for stand, firm, loose in self.stakes[unit]:
            home = stand.home_after(firm, loose, start, end)
            if home != stand.home:
                bundle = stand.bundle
                for split, count in ((stand.home, -bundle.count), (home, bundle.count)):
                    if split != _NOWHERE:
                        changes[bundle.task, split] = changes.get((bundle.task, split), 0) + count
        gain = 0.0
        for (task, split), change in changes.items():
            kept = self.kept[task][split]
            gain += self.wanted[task][split] ** 2 * self.totals[task] * (1 / (kept + 1) - 1 / (kept + change + 1))
        return gain

    def _move(self, unit: int, start: int, end: int) -> None:
        for stand, firm, loose in self.stakes[unit]:
            before = stand.home
            stand.core[start] -= firm
            stand.core[end] += firm
            stand.soft[start] -= loose
            stand.soft[end] += loose
            stand.settle()
            for split, count in ((before, -stand.bundle.count), (stand.home, stand.bundle.count)):
                if split != _NOWHERE:
                    self.kept[stand.bundle.task][split] += count
        self.splits[unit] = end
