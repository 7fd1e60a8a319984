"""The split: examples go to train, validation, test or the out-of-domain test, and nothing stands in two of them.

What may not straddle are *nodes*: product families, groups such as users, queries and questions, and crowds of
examples that are too alike. Nodes are placed first, over all tasks at once, and an example follows its nodes.

1. Out-of-domain examples take theirs for ``test_ood``; an in-domain example that needs one of these is dropped.
2. The other nodes are placed component by component (`quality.splitting.placement`): a small component whole, a
   large one by its communities, between which few examples cross: the seed chooses how these are packed by the wanted
   shares of every task. An example whose nodes fall in two splits is dropped, or first loses the context items that
   fall outside, by policy.
3. Each task's quotas are filled in keyed order (`quality.splitting.quotas`), tests first; wrong options that fall in
   another split are replaced by spares.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ecinstruct_build import chance
from ecinstruct_build.splits import SPLITS, Split
from ecinstruct_build.task import TaskSettings
from quality.splitting.communities import components
from quality.splitting.levelling import level
from quality.splitting.mixing import Mixing
from quality.splitting.placement import NOWHERE, Beside, Ties, communities, homes, place
from quality.splitting.quotas import (
    FILLED,
    KEPT_TESTS,
    OVER_QUOTA,
    SHARED_WITH_OOD,
    SHORT_CONTEXT,
    STRADDLES,
    TOO_ALIKE,
    Filling,
)
from quality.splitting.ragged import Integers, Ragged, union
from quality.splitting.web import Web

OOD = SPLITS.index("test_ood")
_IN_DOMAIN = tuple(split for split in SPLITS if split != "test_ood")

ALL_TO_TRAINING: Mapping[Split, float] = {"train": 1.0}
"""The weights of splits beside frozen tests."""


@dataclass(frozen=True)
class Kept:
    """What an earlier build's test sets hold, where they are kept.

    Attributes
    ----------
    nodes
        The split of each node that stands in a kept one (``family|...``, ``group|...``): nothing else takes it.
    alike
        Ids of examples that are too like a kept sample: they are dropped.
    frozen
        Whether no example is held out any more: all that can be used goes to training.
    """

    nodes: Mapping[str, Split] = field(default_factory=dict)
    alike: Collection[str] = ()
    frozen: bool = False


@dataclass(frozen=True)
class Assigned:
    """Where each example of a web went, in its order.

    Attributes
    ----------
    split
        The position in `SPLITS`, or `NOWHERE` if it was dropped.
    reason
        Why it was dropped; "" if it was assigned.
    context
        Positions of the context items that stay, ascending.
    options
        The options to show, as positions in the web's ``option_values``; a replacement stands in the place of the
        option that it replaces.
    packed
        The split that its nodes fall in, whether or not a quota then had room for it; `NOWHERE` if they straddle.
    candidate
        Whether it was there to be packed: in domain, and clear of the out-of-domain tests.
    """

    split: Integers
    reason: list[str]
    context: Ragged
    options: Ragged
    packed: Integers
    candidate: npt.NDArray[np.bool_]


def communities_of(
    web: Web,
    settings: Mapping[str, TaskSettings],
    weights: Mapping[Split, float],
    seed: int,
    *,
    beside: Beside | None = None,
) -> Integers:
    """Cut the web of the examples in domain into communities, for the splits of any seed.

    Parameters
    ----------
    web, settings, weights, beside
        As for `assign`; of the settings only the leakage policy counts.
    seed
        Seed of the cutting's own chance.

    Returns
    -------
    The community of each node, named by its smallest node.
    """
    ties = ties_of(web, settings).take(np.flatnonzero(~web.ood))
    return communities(ties, web.nodes, _shares(weights), seed, beside)


def assign(
    web: Web,
    settings: Mapping[str, TaskSettings],
    weights: Mapping[Split, float],
    seed: int,
    *,
    parts: Integers | None = None,
    kept: Kept | None = None,
    left_out: Collection[str] = (),
    mixing: Mixing | None = None,
    beside: Beside | None = None,
) -> Assigned:
    """Assign every example to a split, or say why it was dropped.

    The outcome depends on the set of examples, never on their order. Examples that share no node (and no
    quota) with others are assigned alike whatever the others are.

    Parameters
    ----------
    web
        What the accepted examples of all tasks stand on.
    settings
        By task: quotas, leakage policy and least context.
    weights
        The relative sizes of train, validation and test; one without a weight stays empty, whatever the quotas.
    seed
        Seed of the keyed choices.
    parts
        What `communities_of` returned for this web; None = it is cut here, with the same seed.
    kept
        What an earlier build's test sets hold.
    left_out
        Ids of examples that leave when all are assigned: the others stay where they are, and what was over quota
        comes in for them.
    mixing
        Of which sources the examples of tasks are, where these are to be mixed; None = as they come.
    beside
        Who may do some of the work at the same time.

    Raises
    ------
    ValueError
        If no in-domain split has a weight.
    """
    kept = kept or Kept()
    weights = ALL_TO_TRAINING if kept.frozen else weights
    run = _Run(web, settings, seed, mixing)
    run.keep(kept)
    run.filling.close(*(split for split in _IN_DOMAIN if weights.get(split, 0.0) <= 0))
    run.out_of_domain()
    if parts is None:
        parts = communities_of(web, settings, weights, seed, beside=beside)
    run.in_domain(_shares(weights), parts, beside)
    run.leave_out(left_out)
    return run.assigned()


def _shares(weights: Mapping[Split, float]) -> list[float]:
    """Return the share of each in-domain split, in the order of `SPLITS`."""
    stated = [max(weights.get(split, 0.0), 0.0) for split in _IN_DOMAIN]
    if not any(stated):
        raise ValueError("no split but test_ood has a weight above 0")
    return [weight / sum(stated) for weight in stated]


def ties_of(web: Web, settings: Mapping[str, TaskSettings]) -> Ties:
    """Return what ties each example of a web to a split, by the leakage policy of its task."""
    names = sorted(settings)
    task = np.fromiter((names.index(name) for name in web.tasks), np.int64, len(web.tasks))
    strict, trim = (
        np.fromiter((settings[name].leakage == policy for name in names), np.bool_, len(names))[task]
        for policy in ("strict", "trim")
    )
    least = np.fromiter((settings[name].min_context for name in names), np.int64, len(names))[task]
    owners = web.context.owners
    core = union(web.firm, web.alike, web.context.where(strict[owners]))
    soft = web.context.where(trim[owners])
    return Ties(task, core, soft, np.where(soft.lengths > 0, least, 0))


def drop_alike(web: Web, assigned: Assigned, alike: pa.Table) -> Assigned:
    """Drop samples that are too like one of another split: of two, the one of the split that is filled later.

    Parameters
    ----------
    web, assigned
        What was assigned, and where to.
    alike
        Pairs of examples that are too alike to stand in two splits, in `PAIR_SCHEMA`.
    """
    number = {example_id: row for row, example_id in enumerate(web.example_ids)}
    split, reason = assigned.split.copy(), list(assigned.reason)
    for left, right in sorted(zip(alike["left"].to_pylist(), alike["right"].to_pylist(), strict=True)):
        ends = [number[left], number[right]]
        if NOWHERE not in split[ends] and split[ends[0]] != split[ends[1]]:
            later = max(ends, key=lambda row: FILLED.index(SPLITS[split[row]]))
            split[later], reason[later] = NOWHERE, TOO_ALIKE
    return _without(assigned, split, reason)


def drop_like_kept(web: Web, assigned: Assigned, alike: Collection[str]) -> Assigned:
    """Drop samples, named by id, that are too like a kept test."""
    named = set(alike)
    gone = np.fromiter((example_id in named for example_id in web.example_ids), np.bool_, len(web.example_ids))
    reason = [TOO_ALIKE if drop else why for drop, why in zip(gone.tolist(), assigned.reason, strict=True)]
    return _without(assigned, np.where(gone, NOWHERE, assigned.split), reason)


def _without(assigned: Assigned, split: Integers, reason: list[str]) -> Assigned:
    """Return an assignment in which fewer examples stand in a split."""
    stays = split != NOWHERE
    context, options = (rows.where(stays[rows.owners]) for rows in (assigned.context, assigned.options))
    return replace(assigned, split=split, reason=reason, context=context, options=options)


class _Run:
    """One run of the split."""

    def __init__(self, web: Web, settings: Mapping[str, TaskSettings], seed: int, mixing: Mixing | None) -> None:
        self.web = web
        self.seed = seed
        self.mixing = mixing
        self.ties = ties_of(web, settings)
        self.filling = Filling(web, self.ties, [settings[name].quota for name in sorted(settings)])
        self.packed = np.full(len(web.example_ids), NOWHERE)
        self.candidate = np.zeros(len(web.example_ids), np.bool_)

    def keep(self, kept: Kept) -> None:
        """Let nothing take what the kept tests hold."""
        web, filling = self.web, self.filling
        for node, name in enumerate(web.nodes if kept.nodes else ()):
            if name in kept.nodes:
                filling.taken[node] = SPLITS.index(kept.nodes[name])
        if kept.frozen:
            filling.close(*(split for split in SPLITS if split != "train"))
            held_out = ~np.isin(filling.taken, (NOWHERE, OOD, SPLITS.index("train")))
            filling.drop(
                np.flatnonzero(web.ood | (self.ties.core.count(held_out[self.ties.core.values]) > 0)), KEPT_TESTS
            )
        unwanted = set(kept.alike)
        filling.drop(
            np.array([row for row, name in enumerate(web.example_ids) if name in unwanted], np.int64), TOO_ALIKE
        )

    def ranked(self, rows: Integers, purpose: str = "quota") -> Integers:
        """Return rows in a keyed order: for quotas, the one in which they fill them."""
        ids = self.web.example_ids
        keys = {row: (chance.digest(self.seed, purpose, ids[row]), ids[row]) for row in rows.tolist()}
        return np.array(sorted(keys, key=keys.__getitem__), np.int64)

    def queued(self, rows: Integers, groups: Integers | None = None) -> Integers:
        """Return rows in the order in which they fill quotas: `ranked`, with the sources of a task mixed.

        The shares of the sources hold among the rows of one number in ``groups``, which has one for each example.
        """
        queue = self.ranked(rows)
        if self.mixing is None:
            return queue
        for task in self.mixing.weights:
            slots = np.flatnonzero(np.fromiter((self.web.tasks[row] == task for row in queue.tolist()), np.bool_))
            mine = queue[slots]
            among = np.zeros(len(mine), np.int64) if groups is None else groups[mine]
            ids = [self.web.example_ids[row] for row in mine.tolist()]
            queue[slots] = mine[self.mixing.ordered(task, ids, among.tolist())]
        return queue

    def out_of_domain(self) -> None:
        """Hold examples out for the test out of domain."""
        self.filling.hold_out(self.queued(np.flatnonzero(self.web.ood)))

    def in_domain(self, shares: list[float], parts: Integers, beside: Beside | None) -> None:
        """Place all other nodes, and fill the quotas with the examples that fall in one split."""
        ties, filling, taken = self.ties, self.filling, self.filling.taken
        outside = taken == OOD
        shared = ties.core.count(outside[ties.core.values]) + self.web.domain.count(outside[self.web.domain.values])
        alike = self.web.alike.count(outside[self.web.alike.values])
        clash = (shared > 0) & ~self.web.ood
        filling.drop(np.flatnonzero(clash & (shared > alike)), SHARED_WITH_OOD)
        filling.drop(np.flatnonzero(clash), TOO_ALIKE)
        self.candidate = ~self.web.ood & (filling.reason == "")
        rows = np.flatnonzero(self.candidate)
        within = Ties(ties.task, ties.core, ties.soft.where(taken[ties.soft.values] != OOD), ties.need).take(rows)
        placed = place(within, self.web.nodes, shares, self.seed, parts, beside)
        placed = np.where(taken != NOWHERE, taken, placed)
        lowest, highest = homes(within.core, placed)
        items = ties.soft.take(rows)
        home = np.where(lowest == highest, lowest, NOWHERE)
        inside = items.count(placed[items.values] == home[items.owners])
        fits = (home != NOWHERE) & (inside >= within.need)
        self.packed[rows[fits]] = home[fits]
        lowest, highest = homes(self.web.firm.take(rows), placed)
        filling.drop(rows[~fits & (home != NOWHERE)], SHORT_CONTEXT)
        filling.drop(rows[~fits & (lowest == highest)], TOO_ALIKE)
        filling.drop(rows[~fits], STRADDLES)
        packed, moved = self._levelled(placed)
        filling.fill(self.queued(rows, packed), packed, moved)

    def leave_out(self, names: Collection[str]) -> None:
        """Let examples leave, and others come in for them where they can; nothing else moves."""
        unwanted = set(names)
        leaving = np.array([name in unwanted for name in self.web.example_ids], np.bool_)
        if not leaving.any():
            return
        filling = self.filling
        filling.leave(np.flatnonzero(leaving))
        waiting = ~leaving & (filling.reason == OVER_QUOTA)
        wanted = waiting & self.web.ood & (filling.room[self.ties.task, OOD] > 0)
        filling.reason[wanted] = ""
        filling.hold_out(self.queued(np.flatnonzero(wanted)))
        filling.fill_short(self.queued(np.flatnonzero(waiting & self.candidate)))

    def _levelled(self, placed: Integers) -> tuple[Integers, Integers]:
        """Move components of what fits between splits where that fills quotas; return examples' and nodes' splits."""
        rows = np.flatnonzero(self.packed != NOWHERE)
        home = self.packed[rows]
        items = self.ties.soft.take(rows)
        stands = union(self.ties.core.take(rows), items.where(placed[items.values] == home[items.owners]))
        labels = components(len(placed), stands)
        component = labels[stands.values[stands.starts[:-1]]]
        present, firsts, number = np.unique(component, return_index=True, return_inverse=True)
        wanted = self.filling.room.T[[place for place in range(len(SPLITS)) if place != OOD]].astype(np.float64)
        counts = np.zeros((len(present), wanted.shape[1]))
        np.add.at(counts, (number, self.ties.task[rows]), 1)
        fixed = np.zeros(len(labels), np.bool_)
        fixed[labels[self.filling.taken != NOWHERE]] = True
        rank = np.empty(len(self.packed), np.int64)
        rank[self.ranked(rows[firsts], "level")] = np.arange(len(firsts))
        homes_now = level(counts, home[firsts], wanted, rank[rows[firsts]], fixed[present])
        packed, moved = self.packed.copy(), placed.copy()
        packed[rows] = homes_now[number]
        moved[stands.values] = homes_now[number][stands.owners]
        return packed, moved

    def assigned(self) -> Assigned:
        filling = self.filling
        reason = filling.reason.tolist()
        return Assigned(filling.split, reason, filling.context, filling.options, self.packed, self.candidate)
