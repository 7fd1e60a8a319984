"""The split: examples go to train, validation, test or the out-of-domain test, and nothing stands in two of them.

What may not straddle are *nodes*: product families, and groups such as users, queries and questions. Nodes are
placed first, over all tasks at once, and an example follows its nodes.

1. Out-of-domain examples take theirs for ``test_ood``; an in-domain example that needs one of these is dropped.
2. The other nodes are placed component by component (`quality.placement`): a small component whole, a large one cut
   into communities where few examples cross, and these packed by the wanted shares of every task. An example
   whose nodes fall in two splits is dropped, or first loses the context items that fall outside, by policy.
3. Wrong options that fall in another split are replaced by spares. A product that no surviving example stands on
   goes to the first that asks for it: tests before validation before training, each in keyed order.
4. Each task's quota is filled in keyed order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from ecinstruct_build import chance
from ecinstruct_build.example import Example, Option
from ecinstruct_build.splits import SPLITS, Split
from ecinstruct_build.task import TaskSettings
from quality.placement import place
from quality.ties import Nodes, Tie, replaceable_options

OVER_QUOTA = "over quota"
STRADDLES = "straddles splits"
SHARED_WITH_OOD = "shares a family or group with an out-of-domain test"
SHORT_CONTEXT = "context too short after trimming"
FEW_OPTIONS = "too few options in the split"

_CLAIM_ORDER: tuple[Split, ...] = ("test", "validation", "train")


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where one example went.

    Attributes
    ----------
    example_id
        The example.
    split
        Its split, or None if it was dropped.
    reason
        Why it was dropped; "" if it was assigned.
    context
        Positions of the context items that stay, ascending.
    options
        Keys of the options to show, a replacement in the place of the option that it replaces.
    """

    example_id: str
    split: Split | None
    reason: str = ""
    context: tuple[int, ...] = ()
    options: tuple[str, ...] = ()


def assign(
    examples: Mapping[str, Sequence[Example]],
    settings: Mapping[str, TaskSettings],
    families: Mapping[str, str],
    weights: Mapping[Split, float],
    seed: int,
) -> list[Assignment]:
    """Assign every example to a split, or say why it was dropped.

    The outcome depends on the set of examples, never on their order. Examples that share no node (and no
    quota) with others are assigned alike whatever the others are.

    Parameters
    ----------
    examples
        Accepted examples by task.
    settings
        By task: quota, leakage policy and least context.
    families
        Family of a product by product id; a product that is missing is its own family.
    weights
        The relative sizes of train, validation and test.
    seed
        Seed of the keyed choices.

    Returns
    -------
    One assignment for each example, ordered by example id.

    Raises
    ------
    ValueError
        If no in-domain split has a weight.
    """
    shares: dict[Split, float] = {
        split: weights[split] for split in SPLITS if split != "test_ood" and weights.get(split, 0) > 0
    }
    if not shares:
        raise ValueError("no split but test_ood has a weight above 0")
    run = _Run(settings, Nodes(families), shares, seed)
    unique = {example.example_id: example for several in examples.values() for example in several}
    run.out_of_domain({key: example for key, example in unique.items() if example.domain == "ood"})
    run.in_domain({key: example for key, example in unique.items() if example.domain == "ind"})
    return [run.assigned[example_id] for example_id in sorted(run.assigned)]


def families_of(products: pa.Table) -> dict[str, str]:
    """Join products to families by their parent ids.

    Parameters
    ----------
    products
        Columns ``product_id`` and ``parent_id``; several rows of a product join all its parents.

    Returns
    -------
    The family, named by its smallest id, of each product and parent that is in a family of two ids or more.
    """
    root: dict[str, str] = {}

    def find(name: str) -> str:
        while root.setdefault(name, name) != name:
            root[name] = root[root[name]]
            name = root[name]
        return name

    pairs = zip(products["product_id"].to_pylist(), products["parent_id"].to_pylist(), strict=True)
    for product_id, parent_id in pairs:
        if parent_id and parent_id != product_id:
            low, high = sorted((find(product_id), find(parent_id)))
            root[high] = low
    return {name: find(name) for name in sorted(root)}


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An example on its way, with its id (computed once) and what ties it."""

    example_id: str
    example: Example
    tie: Tie


class _Run:
    """One run of the split, gathering assignments."""

    def __init__(
        self, settings: Mapping[str, TaskSettings], nodes: Nodes, shares: Mapping[Split, float], seed: int
    ) -> None:
        self.settings = settings
        self.nodes = nodes
        self.shares = shares
        self.seed = seed
        self.assigned: dict[str, Assignment] = {}
        self.taken: dict[str, Split] = {}  # node -> the split of the samples that stand on it

    def drop(self, example_id: str, reason: str) -> None:
        self.assigned[example_id] = Assignment(example_id, None, reason)

    def rank(self, example_id: str) -> tuple[str, str]:
        """Return the key by which examples fill quotas."""
        return chance.digest(self.seed, "quota", example_id), example_id

    def out_of_domain(self, examples: Mapping[str, Example]) -> None:
        filled: dict[str, int] = {}
        for example_id in sorted(examples, key=self.rank):
            example = examples[example_id]
            if filled.get(example.task, 0) >= self.settings[example.task].quota.test_ood:
                self.drop(example_id, OVER_QUOTA)
                continue
            filled[example.task] = filled.get(example.task, 0) + 1
            self.taken.update(dict.fromkeys(self.nodes.all_of(example), "test_ood"))
            everything = tuple(range(len(example.context)))
            keys = tuple(option.key for option in example.options)
            self.assigned[example_id] = Assignment(example_id, "test_ood", "", everything, keys)

    def in_domain(self, examples: Mapping[str, Example]) -> None:
        candidates = []
        for example_id, example in examples.items():
            settings = self.settings[example.task]
            tie = self.nodes.tie(example_id, example, settings.leakage, settings.min_context)
            if any(node in self.taken for node in (*tie.core, *self.nodes.domain_of(example))):
                self.drop(example_id, SHARED_WITH_OOD)
            else:
                candidates.append(_Candidate(example_id, example, tie))
        placed = place([self._within(one.tie) for one in candidates], self.shares, self.seed)
        survivors: dict[Split, list[_Candidate]] = {split: [] for split in _CLAIM_ORDER}
        for one in candidates:
            homes = {placed[node] for node in one.tie.core}
            if len(homes) > 1:
                self.drop(one.example_id, STRADDLES)
            elif len(kept := _inside(one.tie, placed, home := homes.pop())) < one.tie.need:
                self.drop(one.example_id, SHORT_CONTEXT)
            else:
                survivors[home].append(one)
                self.taken.update(dict.fromkeys((*one.tie.core, *(one.tie.soft[position] for position in kept)), home))
        for split in _CLAIM_ORDER:
            self._fill(split, sorted(survivors[split], key=lambda one: self.rank(one.example_id)))

    def _within(self, tie: Tie) -> Tie:
        """Leave out context that the out-of-domain tests took."""
        if not any(node in self.taken for node in tie.soft):
            return tie
        return replace(tie, soft=tuple(node for node in tie.soft if node not in self.taken))

    def _fill(self, split: Split, candidates: Sequence[_Candidate]) -> None:
        filled: dict[str, int] = {}
        for one in candidates:
            example, tie = one.example, one.tie
            if filled.get(example.task, 0) >= getattr(self.settings[example.task].quota, split):
                self.drop(one.example_id, OVER_QUOTA)
                continue
            kept = _inside(tie, self.taken, split) if tie.soft else tuple(range(len(example.context)))
            shown = {*tie.core, *(tie.soft[position] for position in kept if tie.soft)}
            options = self._options(example, split, shown)
            if options is None:
                self.drop(one.example_id, FEW_OPTIONS)
                continue
            filled[example.task] = filled.get(example.task, 0) + 1
            for option in options:
                if option.product_id:
                    self.taken[self.nodes.of_product(option.product_id)] = split
            keys = tuple(option.key for option in options)
            self.assigned[one.example_id] = Assignment(one.example_id, split, "", kept, keys)

    def _options(self, example: Example, split: Split, used: set[str]) -> list[Option] | None:
        """Return the options to show, all in the split and of families not ``used``; None if there are too few."""
        replaceable = replaceable_options(example)
        if not replaceable:
            return list(example.options)
        texts = {option.text for option in example.options if option.key not in replaceable}

        def usable(option: Option) -> bool:
            node = self.nodes.of_product(option.product_id)
            if node in used or option.text in texts or self.taken.get(node, split) != split:
                return False
            used.add(node)
            texts.add(option.text)
            return True

        stays = {option.key for option in example.options if option.key not in replaceable or usable(option)}
        spares = (option for option in example.spare_options if usable(option))
        chosen: list[Option] = []
        for option in example.options:
            stand_in = option if option.key in stays else next(spares, None)
            if stand_in is None:
                return None
            chosen.append(stand_in)
        return chosen


def _inside(tie: Tie, placed: Mapping[str, Split], split: Split) -> tuple[int, ...]:
    """Return the positions of the trimmable context that fall in ``split``."""
    return tuple(position for position, node in enumerate(tie.soft) if placed.get(node) == split)
