"""What ties an example to a split: the families and groups that must all fall in one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ecinstruct_build.example import Example
from ecinstruct_build.task import LeakagePolicy

DOMAIN_GROUPS = ("attribute:", "category:")
"""Groups that in-domain splits share by design (both train and test ask for `colour`).

They only keep in-domain examples apart from out-of-domain ones.
"""


@dataclass(frozen=True, slots=True)
class Tie:
    """The nodes of one example.

    Attributes
    ----------
    example_id, task
        The example.
    core
        Nodes that must all fall in the example's split, sorted: groups, families of its facts, of the right
        option, of every option that cannot be replaced and, under the policy ``strict``, of the context.
    soft
        The node of each context item that may be trimmed, in the order of the context; empty under ``strict``.
    need
        How many of ``soft`` must fall in the example's split.
    """

    example_id: str
    task: str
    core: tuple[str, ...]
    soft: tuple[str, ...] = ()
    need: int = 0


class Nodes:
    """Names the nodes of examples: a product's family, a group, or the example itself if it has neither.

    Parameters
    ----------
    families
        Family of a product by product id; a product that is missing is its own family.
    """

    def __init__(self, families: Mapping[str, str]) -> None:
        self._families = families

    def of_product(self, product_id: str) -> str:
        """Return the node of a product's family."""
        return f"family|{self._families.get(product_id, product_id)}"

    def of_group(self, group: str) -> str:
        """Return the node of a group."""
        return f"group|{group}"

    def tie(self, example_id: str, example: Example, policy: LeakagePolicy, min_context: int) -> Tie:
        """Return what ties an in-domain example to a split."""
        replaceable = replaceable_options(example)
        core = {self.of_product(product_id) for product_id in example.products}
        core.update(self.of_group(group) for group in example.groups if not group.startswith(DOMAIN_GROUPS))
        core.update(
            self.of_product(option.product_id)
            for option in example.options
            if option.product_id and option.key not in replaceable
        )
        context = tuple(self.of_product(item.product_id) for item in example.context)
        if policy == "strict":
            core.update(context)
            context = ()
        if not core:
            core.add(f"example|{example_id}")
        return Tie(example_id, example.task, tuple(sorted(core)), context, min_context if context else 0)

    def all_of(self, example: Example) -> Iterator[str]:
        """Yield every node of an example that is published as it stands, groups of the domain included."""
        yield from (self.of_product(product_id) for product_id in example.all_products)
        yield from (self.of_group(group) for group in example.groups)

    def domain_of(self, example: Example) -> Iterator[str]:
        """Yield the nodes that matter between the domains only."""
        return (self.of_group(group) for group in example.groups if group.startswith(DOMAIN_GROUPS))


def replaceable_options(example: Example) -> set[str]:
    """Return the keys of wrong options that a spare may stand in for."""
    if not example.spare_options:
        return set()
    right = set(right_keys(example.answer))
    return {option.key for option in example.options if option.product_id and option.key not in right}


def right_keys(answer: Any) -> tuple[str, ...]:
    """Return the option keys that an answer names; for answers that name none, words that are no option's key."""
    if isinstance(answer, str):
        return (answer,)
    return tuple(key for key in answer if isinstance(key, str)) if isinstance(answer, list | tuple) else ()
