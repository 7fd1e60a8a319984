"""The splits and settings of the published dataset, and how ours and the original's names correspond."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Split = Literal["train", "validation", "test", "test_ood"]
"""What the split stage assigns."""

SPLITS: tuple[Split, ...] = ("train", "validation", "test", "test_ood")

Layout = Literal["huggingface", "ecinstruct"]
"""``huggingface``: real splits; ``ecinstruct``: the original's one split with its eight settings."""


@dataclass(frozen=True)
class Setting:
    """One way of rendering the samples of a split.

    Attributes
    ----------
    name
        The published ``setting`` value.
    domain
        ``ind`` or ``ood``: which examples it applies to.
    instructions
        ``diverse`` (a seen instruction by chance), ``unseen`` (a held-out one) or ``single`` (the seed).
    shots
        Training examples shown in ``few_shot_example``.
    splits
        The assigned splits that it renders.
    published_split
        For each of those splits, the name of the Hugging Face split, or None where only the original's
        layout has it.
    """

    name: str
    domain: Literal["ind", "ood"]
    instructions: Literal["diverse", "unseen", "single"]
    shots: int
    splits: tuple[Split, ...]
    published_split: Mapping[Split, str | None]


_SEEN: tuple[Split, ...] = ("train", "validation", "test")

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "IND_Diverse_Instruction",
        "ind",
        "diverse",
        0,
        _SEEN,
        {"train": "train", "validation": "validation", "test": "test"},
    ),
    Setting("IND_Single_Instruction", "ind", "single", 0, _SEEN, {"train": None, "validation": None, "test": None}),
    Setting("IND_Unseen_Instruction", "ind", "unseen", 0, ("test",), {"test": "test_unseen_instructions"}),
    Setting("IND_Diverse_Instruction_1-shot", "ind", "diverse", 1, ("test",), {"test": None}),
    Setting("OOD_Diverse_Instruction", "ood", "diverse", 0, ("test_ood",), {"test_ood": "test_ood"}),
    Setting("OOD_Single_Instruction", "ood", "single", 0, ("test_ood",), {"test_ood": None}),
    Setting("OOD_Unseen_Instruction", "ood", "unseen", 0, ("test_ood",), {"test_ood": "test_ood_unseen_instructions"}),
    Setting("OOD_Diverse_Instruction_1-shot", "ood", "diverse", 1, ("test_ood",), {"test_ood": None}),
)

PUBLISHED_SPLITS = (
    "train",
    "validation",
    "test",
    "test_ood",
    "test_unseen_instructions",
    "test_ood_unseen_instructions",
)

SPLIT_LABELS: Mapping[str, str] = {
    "train": "train",
    "validation": "validation",
    "test": "test",
    "test_ood": "test, out of domain",
    "test_unseen_instructions": "test, unseen instructions",
    "test_ood_unseen_instructions": "test, out of domain, unseen instructions",
}
"""What people read for each of `PUBLISHED_SPLITS`."""

ORIGINAL_SPLIT: Mapping[Split, str] = {"train": "train", "validation": "val", "test": "test", "test_ood": "test"}
"""The value of the published ``split`` column."""


def settings_of(layout: Layout) -> tuple[Setting, ...]:
    """Return the settings that a layout publishes."""
    if layout == "ecinstruct":
        return SETTINGS
    return tuple(setting for setting in SETTINGS if any(setting.published_split.values()))


def published_split(row_split: str, setting: str) -> str | None:
    """Return the Hugging Face split of a sample by its ``split`` and ``setting`` columns, or None if it has none."""
    for known in SETTINGS:
        if known.name == setting:
            return next(
                (known.published_split[split] for split in known.splits if ORIGINAL_SPLIT[split] == row_split), None
            )
    raise ValueError(f"no setting is called {setting!r}")


def place_of(row_split: str, setting: str) -> str:
    """Return where a row of any dataset stands: its Hugging Face split or, without one, its split and setting."""
    try:
        known = published_split(row_split, setting)
    except ValueError:
        known = None
    return known or " ".join(filter(None, (row_split, setting)))


def place_order(place: str) -> tuple[int, str]:
    """Return what to sort places by (see `place_of`): `PUBLISHED_SPLITS` as they are there, then others by name."""
    return PUBLISHED_SPLITS.index(place) if place in PUBLISHED_SPLITS else len(PUBLISHED_SPLITS), place
