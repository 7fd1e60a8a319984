"""Fill the quotas: of the examples that could stand in a split, as many as are wanted, tests first.

Nothing that is taken for one split is taken for another: not the nodes of its samples, not those of the options that
they show. What an example asks for beyond its own nodes goes to the first that asks.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from ecinstruct_build.splits import SPLITS, Split
from ecinstruct_build.task import Quota
from quality.splitting.placement import NOWHERE, Ties
from quality.splitting.ragged import Integers, Ragged
from quality.splitting.web import NOTHING, Web

OVER_QUOTA = "over quota"
STRADDLES = "straddles splits"
SHARED_WITH_OOD = "shares a family or group with an out-of-domain test"
SHORT_CONTEXT = "context too short after trimming"
FEW_OPTIONS = "too few options in the split"
TOO_ALIKE = "too like a sample of another split"
KEPT_TESTS = "the tests are kept as they are"

FILLED: tuple[Split, ...] = ("test_ood", "test", "validation", "train")
"""The splits in the order in which they are filled."""

_OOD = SPLITS.index("test_ood")
_IN_DOMAIN = tuple(SPLITS.index(split) for split in FILLED if split != "test_ood")


class Filling:
    """Assigns examples one by one, and remembers what their samples took.

    Parameters
    ----------
    web, ties
        The examples.
    quotas
        By number of the task.
    """

    def __init__(self, web: Web, ties: Ties, quotas: Sequence[Quota]) -> None:
        self.web = web
        self.task = ties.task.tolist()
        self.need = ties.need.tolist()
        self.core, self.soft = ties.core.to_lists(), ties.soft.to_lists()
        self.items = web.context.lengths.tolist()
        self.wanted = [[getattr(quota, split) for split in SPLITS] for quota in quotas]
        self.room = [list(wanted) for wanted in self.wanted]
        self.taken = [NOWHERE] * len(web.nodes)
        count = len(web.example_ids)
        self.split = [NOWHERE] * count
        self.reason = [""] * count
        self.context: list[tuple[int, ...]] = [()] * count
        self.options: list[tuple[int, ...]] = [()] * count
        self._chooser = _Chooser(web, self.taken)

    def taken_array(self) -> Integers:
        """Return the split that took each node, or `NOWHERE`."""
        return np.asarray(self.taken, np.int64)

    def open_rows(self) -> npt.NDArray[np.bool_]:
        """Return which examples have neither been assigned nor dropped."""
        return np.fromiter(
            (split == NOWHERE and not reason for split, reason in zip(self.split, self.reason, strict=True)),
            np.bool_,
            len(self.split),
        )

    def claim(self, nodes: Integers, splits: Integers) -> None:
        """Take nodes for splits."""
        for node, split in zip(nodes.tolist(), splits.tolist(), strict=True):
            self.taken[node] = split

    def close(self, *splits: Split) -> None:
        """Let no example into some splits any more."""
        for room in self.room:
            for split in splits:
                room[SPLITS.index(split)] = 0

    def drop(self, row: int, reason: str) -> None:
        """Drop an example, unless it was dropped for another reason before."""
        self.reason[row] = self.reason[row] or reason

    def hold_out(self, row: int) -> None:
        """Assign an out-of-domain example to its test as it stands, if there is room."""
        if self.reason[row] or not self._has_room(row, _OOD):
            return
        web = self.web
        shown = web.options.values[web.options.starts[row] : web.options.starts[row + 1]]
        nodes = {*self.core[row], *self.soft[row], *_row(web.domain, row), *web.option_node[shown].tolist()} - {NOTHING}
        if any(self.taken[node] not in (NOWHERE, _OOD) for node in nodes):
            self.drop(row, STRADDLES)
            return
        self._assign(row, _OOD, tuple(range(self.items[row])), tuple(shown.tolist()), nodes)

    def fill(self, ranked: Sequence[int], packed: Integers, placed: Integers) -> None:
        """Assign in-domain examples.

        First each goes to the split that its nodes were packed in. Where a split is then short, it takes of what is
        left over all that no sample of another split stands in the way of.

        Parameters
        ----------
        ranked
            The candidates in the order in which they fill quotas.
        packed
            The split that holds all that each example needs, or `NOWHERE`.
        placed
            The split of each node, or `NOWHERE`.
        """
        kept = list(self.taken)
        for row in ranked:
            if (home := int(packed[row])) != NOWHERE:
                for node in (*self.core[row], *(node for node in self.soft[row] if placed[node] == home)):
                    self.taken[node] = home
        for split in _IN_DOMAIN:
            for row in ranked:
                if packed[row] == split:
                    self._try(row, split)
        self._release(kept)
        for row in ranked:
            for split in self._short(self.task[row]) if self.split[row] == NOWHERE else ():
                self._try(row, split)
                if self.split[row] != NOWHERE:
                    break

    def _short(self, task: int) -> list[int]:
        """Return the in-domain splits that want examples of a task, the one that lacks most of its quota first."""
        lacking = [split for split in _IN_DOMAIN if self.room[task][split] > 0]
        return sorted(lacking, key=lambda split: -self.room[task][split] / self.wanted[task][split])

    def _release(self, kept: Sequence[int]) -> None:
        """Give back what no sample stands on."""
        self.taken[:] = kept
        for row, split in enumerate(self.split):
            if split not in (NOWHERE, _OOD):
                for node in self._stands_on(row, self.context[row], self.options[row]):
                    self.taken[node] = split

    def _try(self, row: int, split: int) -> None:
        """Assign an example to a split, or say why it cannot go there."""
        if not self._has_room(row, split):
            return
        open_to = (NOWHERE, split)
        if any(self.taken[node] not in open_to for node in self.core[row]):
            return
        soft = self.soft[row]
        context = tuple(
            position for position in range(self.items[row]) if not soft or self.taken[soft[position]] in open_to
        )
        if soft and len(context) < self.need[row]:
            return
        options = self._chooser.choose(row, split, {*self.core[row], *(soft[position] for position in context if soft)})
        if options is None:
            self.drop(row, FEW_OPTIONS)
            return
        self._assign(row, split, context, options, self._stands_on(row, context, options))

    def _has_room(self, row: int, split: int) -> bool:
        if self.room[self.task[row]][split] > 0:
            return True
        self.drop(row, OVER_QUOTA)
        return False

    def _stands_on(self, row: int, context: Sequence[int], options: Sequence[int]) -> set[int]:
        soft = self.soft[row]
        items = (soft[position] for position in context) if soft else ()
        return {*self.core[row], *items, *self._chooser.nodes(options)}

    def _assign(
        self, row: int, split: int, context: tuple[int, ...], options: tuple[int, ...], nodes: Iterable[int]
    ) -> None:
        self.room[self.task[row]][split] -= 1
        self.split[row], self.reason[row] = split, ""
        self.context[row], self.options[row] = context, options
        for node in nodes:
            self.taken[node] = split


class _Chooser:
    """Chooses the options that examples show."""

    def __init__(self, web: Web, taken: Sequence[int]) -> None:
        self.taken = taken
        self.node, self.text = web.option_node.tolist(), web.option_text.tolist()
        self.options, self.replaceable, self.spares = web.options, web.replaceable, web.spares

    def nodes(self, options: Sequence[int]) -> set[int]:
        """Return the nodes of options."""
        return {self.node[option] for option in options} - {NOTHING}

    def choose(self, row: int, split: int, used: set[int]) -> tuple[int, ...] | None:
        """Return the options to show, all in the split and of families not ``used``; None if there are too few."""
        options, replaceable = _row(self.options, row), _row(self.replaceable, row)
        if not any(replaceable):
            return tuple(options)
        texts = {self.text[option] for option, loose in zip(options, replaceable, strict=True) if not loose}

        def usable(option: int) -> bool:
            node, text = self.node[option], self.text[option]
            if node in used or text in texts or self.taken[node] not in (NOWHERE, split):
                return False
            used.add(node)
            texts.add(text)
            return True

        stays = [not loose or usable(option) for option, loose in zip(options, replaceable, strict=True)]
        spares = (option for option in _row(self.spares, row) if usable(option))
        chosen: list[int] = []
        for option, stay in zip(options, stays, strict=True):
            stand_in = option if stay else next(spares, None)
            if stand_in is None:
                return None
            chosen.append(stand_in)
        return tuple(chosen)


def _row(rows: Ragged, row: int) -> list[int]:
    return list(rows.values[rows.starts[row] : rows.starts[row + 1]].tolist())
