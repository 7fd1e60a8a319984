"""The web that examples make: what each stands on, as numbers.

It depends on examples and families only, on no seed, quota or policy, so that it is spun once for all splits.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import feather

from ecinstruct_build.check import PAIR_SCHEMA
from ecinstruct_build.example import EXAMPLE_SCHEMA, Example, Option
from quality.splitting.ragged import Integers, Ragged, from_arrow, ragged, union
from quality.splitting.ties import ALIKE, DOMAIN_GROUPS, FAMILY, family_node, group_node, replaceable_options

NOTHING = -1
"""The node of an option that is no product."""

_LISTS = ("firm", "alike", "context", "domain", "options", "replaceable", "spares")
_OPTION = EXAMPLE_SCHEMA.field("options").type.value_type


@dataclass(frozen=True)
class Web:
    """Examples, ordered by id, and what they stand on.

    Attributes
    ----------
    example_ids, tasks, categories, ood
        Of each example: its id, its task, its category, and whether it is out of domain.
    nodes
        The names of all families (``family|...``), groups (``group|...``) and crowds of look-alikes (``alike|...``),
        sorted; an example without family or group has a node of its own (``example|...``). Everything below says
        nodes by their position here.
    firm
        Groups, families of the facts, of the right option and of every option that cannot be replaced; ascending.
    alike
        The crowds of look-alikes (``alike|...``) that the example belongs to; ascending.
    context
        The family of each context item, in order.
    domain
        Groups that only keep the domains apart; ascending.
    option_values
        Every option and spare of any example, as structs.
    option_node, option_text
        The family of each of them, or `NOTHING`, and a number for its text.
    options, replaceable
        The options of each example, as positions in ``option_values``, and whether a spare may stand in for each.
    spares
        The stand-ins of each example, best first, as positions in ``option_values``.
    """

    example_ids: Sequence[str]
    tasks: Sequence[str]
    categories: Sequence[str]
    ood: npt.NDArray[np.bool_]
    nodes: Sequence[str]
    firm: Ragged
    alike: Ragged
    context: Ragged
    domain: Ragged
    option_values: pa.StructArray
    option_node: Integers
    option_text: Integers
    options: Ragged
    replaceable: Ragged
    spares: Ragged

    @cached_property
    def is_family(self) -> npt.NDArray[np.bool_]:
        """Whether each node is a family of products."""
        return np.fromiter((name.startswith(FAMILY) for name in self.nodes), np.bool_, len(self.nodes))

    def shown(self, context: Ragged, options: Ragged) -> Ragged:
        """Return the families and groups of all that each example shows, ascending.

        Parameters
        ----------
        context
            Positions of the context items that are shown.
        options
            The options that are shown, as positions in ``option_values``.
        """
        items = self.context.values[self.context.starts[:-1][context.owners] + context.values]
        products = Ragged(self.option_node[options.values], options.starts)
        return union(self.firm, Ragged(items, context.starts), products.where(products.values != NOTHING))

    def write(self, folder: Path) -> None:
        """Write the web to three files of a folder."""
        examples = {
            "example_id": pa.array(self.example_ids, pa.string()),
            "task": pa.array(self.tasks, pa.string()).dictionary_encode(),
            "category": pa.array(self.categories, pa.string()).dictionary_encode(),
            "ood": pa.array(self.ood),
            **{name: getattr(self, name).to_arrow() for name in _LISTS},
        }
        options = {"value": self.option_values, "node": pa.array(self.option_node), "text": pa.array(self.option_text)}
        nodes = {"name": pa.array(self.nodes, pa.string())}
        for name, columns in (("examples", examples), ("options", options), ("nodes", nodes)):
            feather.write_feather(pa.table(columns), str(folder / f"{name}.arrow"), compression="zstd")


def read_web(folder: Path) -> Web:
    """Read back what `Web.write` wrote."""
    examples, options, nodes = (
        feather.read_table(folder / f"{name}.arrow").combine_chunks() for name in ("examples", "options", "nodes")
    )
    values = options["value"]
    return Web(
        examples["example_id"].to_numpy().tolist(),
        examples["task"].to_numpy().tolist(),
        examples["category"].to_numpy().tolist(),
        examples["ood"].to_numpy(),
        nodes["name"].to_numpy().tolist(),
        option_values=values.chunk(0) if values.num_chunks else pa.array([], _OPTION),
        option_node=options["node"].to_numpy(),
        option_text=options["text"].to_numpy(),
        **{name: from_arrow(examples[name]) for name in _LISTS},
    )


def web_of(examples: Iterable[Example], families: Mapping[str, str], alike: pa.Table | None = None) -> Web:
    """Spin the web of examples of any tasks.

    Parameters
    ----------
    examples
        In any order; the same example twice counts once.
    families
        Family of a product by product id; a product that is missing is its own family.
    alike
        Pairs of examples that are too alike to stand in two splits, in `PAIR_SCHEMA`.
    """
    unique = {example.example_id: example for example in examples}
    ids = sorted(unique)
    ordered = [unique[example_id] for example_id in ids]
    fixed = [replaceable_options(example) for example in ordered]
    firm = [sorted(_firm(*one, families)) for one in zip(ids, ordered, fixed, strict=True)]
    context = [[family_node(item.product_id, families) for item in example.context] for example in ordered]
    crowds = _crowds(PAIR_SCHEMA.empty_table() if alike is None else alike)
    likes = [sorted(crowds.get(example_id, ())) for example_id in ids]
    domain = [_domain_nodes(example) for example in ordered]
    listed = _Listed()
    options = ragged([listed.numbers(example.options) for example in ordered])
    spares = ragged([listed.numbers(example.spare_options) for example in ordered])
    option_names = [family_node(one.product_id, families) if one.product_id else "" for one in listed.options]
    names = sorted(
        {name for rows in (firm, likes, context, domain, [option_names]) for row in rows for name in row} - {""}
    )
    number = {"": NOTHING, **{name: position for position, name in enumerate(names)}}
    texts: dict[str, int] = {}
    replaceable = [
        [int(option.key in keys) for option in example.options] for example, keys in zip(ordered, fixed, strict=True)
    ]
    return Web(
        ids,
        [example.task for example in ordered],
        [example.category for example in ordered],
        np.fromiter((example.domain == "ood" for example in ordered), np.bool_, len(ordered)),
        names,
        firm=_numbered(firm, number),
        alike=_numbered(likes, number),
        context=_numbered(context, number),
        domain=_numbered(domain, number),
        option_values=listed.as_structs(),
        option_node=_numbered([option_names], number).values,
        option_text=ragged([[texts.setdefault(one.text, len(texts)) for one in listed.options]]).values,
        options=options,
        replaceable=ragged(replaceable),
        spares=spares,
    )


def _domain_nodes(example: Example) -> list[str]:
    return sorted({group_node(group) for group in example.groups if group.startswith(DOMAIN_GROUPS)})


def _numbered(rows: Iterable[Sequence[str]], number: Mapping[str, int]) -> Ragged:
    return ragged([number[name] for name in row] for row in rows)


def _crowds(alike: pa.Table) -> dict[str, set[str]]:
    """Return the crowds of each example: one around every hub, the end of a pair that stands in more pairs.

    Of a large crowd, pairs name its hubs with each member but not the members with each other.
    """
    pairs = list(zip(alike["left"].to_pylist(), alike["right"].to_pylist(), strict=True))
    degree = Counter(chain.from_iterable(pairs))
    crowds: defaultdict[str, set[str]] = defaultdict(set)
    for left, right in pairs:
        hub = right if degree[right] > degree[left] else left
        for member in (left, right):
            crowds[member].add(f"{ALIKE}{hub}")
    return crowds


def _firm(example_id: str, example: Example, replaceable: set[str], families: Mapping[str, str]) -> set[str]:
    found = {family_node(product_id, families) for product_id in example.products}
    found.update(group_node(group) for group in example.groups if not group.startswith(DOMAIN_GROUPS))
    found.update(
        family_node(option.product_id, families)
        for option in example.options
        if option.product_id and option.key not in replaceable
    )
    return found or {f"example|{example_id}"}


class _Listed:
    """Numbers options, looking at an object that stands in many lists only once."""

    def __init__(self) -> None:
        self.options: list[Option] = []
        self._places: dict[int, int] = {}

    def numbers(self, options: Sequence[Option]) -> list[int]:
        found = []
        for option in options:
            place = self._places.setdefault(id(option), len(self.options))
            if place == len(self.options):
                self.options.append(option)
            found.append(place)
        return found

    def as_structs(self) -> pa.StructArray:
        columns = [pa.array([getattr(option, part.name) for option in self.options], part.type) for part in _OPTION]
        return pa.StructArray.from_arrays(columns, fields=list(_OPTION))
