"""Fill the quotas: of the examples that could stand in a split, as many as are wanted, tests first.

Nothing that is taken for one split is taken for another: not the nodes of its samples, not those of the options that
they show. What an example asks for beyond its own nodes goes to the first that asks.
"""

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt

from ecinstruct_build.splits import SPLITS, Split
from ecinstruct_build.task import Quota
from quality.splitting.placement import NOWHERE, Ties
from quality.splitting.ragged import Integers, Ragged, union
from quality.splitting.web import NOTHING, Web

OVER_QUOTA = "over quota"
STRADDLES = "straddles splits"
SHARED_WITH_OOD = "shares a family or group with an out-of-domain test"
SHORT_CONTEXT = "context too short after trimming"
FEW_OPTIONS = "too few options in the split"
TOO_ALIKE = "too like a sample of another split"
KEPT_TESTS = "the tests are kept as they are"
LEFT_OUT = "left out when the splits stood"

FILLED: tuple[Split, ...] = ("test_ood", "test", "validation", "train")
"""The splits in the order in which they are filled."""

_OOD = SPLITS.index("test_ood")
_IN_DOMAIN = tuple(SPLITS.index(split) for split in FILLED if split != "test_ood")


class Filling:
    """Assigns examples, and remembers what their samples took.

    Parameters
    ----------
    web, ties
        The examples.
    quotas
        By number of the task.

    Attributes
    ----------
    split, reason
        Of each example: where it went, or `NOWHERE` and why, or "" if that is not settled yet.
    taken
        The split that took each node, or `NOWHERE`.
    room
        How many examples each task (row) still wants in each split (column).
    """

    def __init__(self, web: Web, ties: Ties, quotas: Sequence[Quota]) -> None:
        self.web, self.ties = web, ties
        self.wanted = np.array([[getattr(quota, split) for split in SPLITS] for quota in quotas], np.int64)
        self.room = self.wanted.copy()
        self.taken = np.full(len(web.nodes), NOWHERE, np.int64)
        self.split = np.full(len(web.example_ids), NOWHERE, np.int64)
        self.reason = np.full(len(web.example_ids), "", object)
        self._shows_item = np.ones(len(web.context.values), np.bool_)
        self._shown_options = web.options.values.copy()
        loose = (ties.soft.lengths > 0) | (web.replaceable.count(web.replaceable.values > 0) > 0)
        self._loose = np.isin(ties.task, ties.task[loose])  # what examples of these tasks show depends on the split

    @property
    def context(self) -> Ragged:
        """Positions of the context items that each sample shows."""
        rows = self.web.context
        shown = self._shows_item & (self.split != NOWHERE)[rows.owners]
        return Ragged(np.arange(len(rows.values)) - rows.starts[rows.owners], rows.starts).where(shown)

    @property
    def options(self) -> Ragged:
        """The options that each sample shows, as positions in the web's ``option_values``."""
        rows = Ragged(self._shown_options, self.web.options.starts)
        return rows.where((self.split != NOWHERE)[rows.owners])

    def close(self, *splits: Split) -> None:
        """Let no example into some splits any more."""
        self.room[:, [SPLITS.index(split) for split in splits]] = 0

    def drop(self, rows: Integers, reason: str) -> None:
        """Drop examples, unless they were dropped for another reason before."""
        self.reason[rows[self.reason[rows] == ""]] = reason

    def hold_out(self, ranked: Integers) -> None:
        """Assign out-of-domain examples to their test, as long as there is room.

        What they show is lost to the other splits. So a spare that shows what is held out anyway comes in for a wrong
        option that does not.
        """
        options = self.web.options.take(ranked)
        nodes = self.web.option_node[options.values]
        products = Ragged(nodes, options.starts).where(nodes != NOTHING)
        shown = union(*(rows.take(ranked) for rows in (self.ties.core, self.ties.soft, self.web.domain)), products)
        free = shown.count(~np.isin(self.taken[shown.values], (NOWHERE, _OOD))) == 0
        self.drop(ranked[~free], STRADDLES)
        held = self._fill_up(ranked[free & (self.reason[ranked] == "")], _OOD)
        for rows in (self.ties.core, self.ties.soft, self.web.domain):
            self.taken[rows.take(held).values] = _OOD
        for row in held.tolist():
            self._hold_options_out(row)

    def _hold_options_out(self, row: int) -> None:
        """Hold out what an out-of-domain sample offers, replacing wrong options that nothing held out stands on."""
        where = _where(self.web.options, row)
        used = {*_row(self.ties.core, row).tolist(), *_row(self.ties.soft, row).tolist()}
        options = self._options(row, _OOD, used, reuse=True)
        if options is not None:
            self._shown_options[where] = options
        nodes = self.web.option_node[self._shown_options[where]]
        self.taken[nodes[nodes != NOTHING]] = _OOD

    def fill(self, ranked: Integers, packed: Integers, placed: Integers) -> None:
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
        kept = self.taken.copy()
        core, soft = self.ties.core, self.ties.soft
        self._take(core.values, packed[core.owners])
        self._take(soft.values, np.where(placed[soft.values] == packed[soft.owners], packed[soft.owners], NOWHERE))
        for split in _IN_DOMAIN:
            here = ranked[packed[ranked] == split]
            self._fill_up(here[~self._loose[here]], split)
            for row in here[self._loose[here]].tolist():
                self._try(row, split)
        self._release(kept)
        self.fill_short(ranked)

    def fill_short(self, ranked: Integers) -> None:
        """Assign examples that are in no split to one that their task is short of, where nothing stands in the way."""
        short: npt.NDArray[np.bool_] = np.any(self.room[:, _IN_DOMAIN] > 0, axis=1)
        for row in ranked[(self.split[ranked] == NOWHERE) & short[self.ties.task[ranked]]].tolist():
            for split in self._short(int(self.ties.task[row])):
                self._try(row, split)
                if self.split[row] != NOWHERE:
                    break

    def leave(self, rows: Integers) -> None:
        """Take examples out of their splits, which then have room for others; what they stood on stays taken."""
        placed = rows[self.split[rows] != NOWHERE]
        np.add.at(self.room, (self.ties.task[placed], self.split[placed]), 1)
        self.split[rows], self.reason[rows] = NOWHERE, LEFT_OUT

    def _take(self, nodes: Integers, splits: Integers) -> None:
        """Take nodes for splits; those of `NOWHERE` are left alone."""
        self.taken[nodes[splits != NOWHERE]] = splits[splits != NOWHERE]

    def _fill_up(self, ranked: Integers, split: int) -> Integers:
        """Assign the first of some examples, as they stand, to a split with room for them; return these."""
        task = self.ties.task[ranked]
        order = np.argsort(task, kind="stable")
        place = np.empty(len(ranked), np.int64)
        place[order] = np.arange(len(ranked)) - np.searchsorted(task[order], task[order])
        fits = place < self.room[task, split]
        self.drop(ranked[~fits], OVER_QUOTA)
        self.split[ranked[fits]], self.reason[ranked[fits]] = split, ""
        self.room[:, split] -= np.bincount(task[fits], minlength=len(self.room))
        assigned: Integers = ranked[fits]
        return assigned

    def _short(self, task: int) -> list[int]:
        """Return the in-domain splits that want examples of a task, the one that lacks most of its quota first."""
        lacking = [split for split in _IN_DOMAIN if self.room[task, split] > 0]
        return sorted(lacking, key=lambda split: -self.room[task, split] / self.wanted[task, split])

    def _release(self, kept: Integers) -> None:
        """Give back what no sample stands on."""
        self.taken = kept
        web, core, soft = self.web, self.ties.core, self.ties.soft
        split = np.where(self.split == _OOD, NOWHERE, self.split)
        trimmable = (soft.lengths > 0)[web.context.owners]
        items = web.context.where(trimmable & self._shows_item)
        nodes = web.option_node[self._shown_options]
        self._take(core.values, split[core.owners])
        self._take(items.values, split[items.owners])
        self._take(nodes[nodes != NOTHING], split[web.options.owners[nodes != NOTHING]])

    def _try(self, row: int, split: int) -> None:
        """Assign an example to a split, or say why it cannot go there."""
        task = self.ties.task[row]
        if self.room[task, split] <= 0:
            self._drop_one(row, OVER_QUOTA)
            return
        core, soft = _row(self.ties.core, row), _row(self.ties.soft, row)
        if not self._open(core, split).all():
            return
        stays = self._open(soft, split)
        if stays.sum() < self.ties.need[row]:
            return
        nodes = {*core.tolist(), *soft[stays].tolist()}
        options = self._options(row, split, nodes)
        if options is None:
            self._drop_one(row, FEW_OPTIONS)
            return
        self.room[task, split] -= 1
        self.split[row], self.reason[row] = split, ""
        if len(soft):
            self._shows_item[_where(self.web.context, row)] = stays
        self._shown_options[_where(self.web.options, row)] = options
        self.taken[list(nodes)] = split

    def _drop_one(self, row: int, reason: str) -> None:
        self.reason[row] = self.reason[row] or reason

    def _open(self, nodes: Integers, split: int) -> npt.NDArray[np.bool_]:
        """Return which nodes a sample of a split may stand on."""
        taken = self.taken[nodes]
        is_open: npt.NDArray[np.bool_] = (taken == split) | (taken == NOWHERE)
        return is_open

    def _options(self, row: int, split: int, used: set[int], *, reuse: bool = False) -> list[int] | None:
        """Return the options to show, all in the split and of families not ``used``; None if there are too few.

        Their families are added to ``used``. With ``reuse``, those come first that the split has taken already.
        """
        web = self.web
        options, replaceable = _row(web.options, row).tolist(), _row(web.replaceable, row).tolist()
        fixed = [option for option, loose in zip(options, replaceable, strict=True) if not loose]
        texts = set(web.option_text[fixed].tolist())

        def usable(option: int, places: Sequence[int] = (NOWHERE, split)) -> bool:
            node, text = int(web.option_node[option]), int(web.option_text[option])
            if node in used or text in texts or self.taken[node] not in places:
                return False
            used.add(node)
            texts.add(text)
            return True

        best = (split,) if reuse else (NOWHERE, split)
        stays = [not loose or usable(option, best) for option, loose in zip(options, replaceable, strict=True)]
        others = _row(web.spares, row).tolist()
        spares: Iterator[int] = (option for option in others if usable(option, best))
        if reuse:
            spares = chain(spares, (option for option in (*options, *others) if usable(option)))
        chosen = [option if stay else next(spares, NOTHING) for option, stay in zip(options, stays, strict=True)]
        used.update(web.option_node[fixed].tolist())
        used.discard(NOTHING)
        return None if NOTHING in chosen else chosen


def _where(rows: Ragged, row: int) -> slice:
    return slice(int(rows.starts[row]), int(rows.starts[row + 1]))


def _row(rows: Ragged, row: int) -> Integers:
    return rows.values[_where(rows, row)]
