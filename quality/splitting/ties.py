"""What ties an example to a split: the names of its families and groups, and which options are fixed."""

from collections.abc import Mapping
from typing import Any

from ecinstruct_build.example import Example

DOMAIN_GROUPS = ("attribute:", "category:")
"""Groups that in-domain splits share by design (both train and test ask for `colour`).

They only keep in-domain examples apart from out-of-domain ones.
"""

FAMILY = "family|"
GROUP = "group|"
ALIKE = "alike|"


def family_node(product_id: str, families: Mapping[str, str]) -> str:
    """Return the node of a product: its family, which is the product itself where ``families`` names none."""
    return f"{FAMILY}{families.get(product_id, product_id)}"


def group_node(group: str) -> str:
    """Return the node of a group."""
    return f"{GROUP}{group}"


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
