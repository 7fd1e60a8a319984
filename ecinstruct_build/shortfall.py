"""What a build is short of, and why: quotas that are not met, or no example at all."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ecinstruct_build.errors import UserError
from ecinstruct_build.progress import Progress
from ecinstruct_build.recipe import Recipe


def judge_shortfall(recipe: Recipe, manifest: Mapping[str, Any], progress: Progress) -> None:
    """Note every quota that a build does not meet, every setting that no row matches, and every source without a row.

    Parameters
    ----------
    recipe
        What was asked for.
    manifest
        The books of the build, as `ecinstruct_build.accounts.manifest_of` returns them.
    progress
        Who is told.

    Raises
    ------
    UserError
        If there is no example at all, or the recipe makes an unmet quota an error.
    """
    unmatched = unmatched_settings(manifest)
    if not any(sum(account["examples"].values()) for account in manifest["tasks"].values()):
        raise UserError(" ".join([_why_nothing(recipe, manifest["tasks"]), *unmatched]))
    short = [
        f"{task}: {missing:,} of {account['wanted'][split_name]:,} in {split_name}"
        for task, account in manifest["tasks"].items()
        for split_name, missing in account["shortfall"].items()
    ]
    if short and recipe.limits.shortfall == "error":
        advice = "Lower the quotas, raise oversample, add sources, or set limits.shortfall = 'report'."
        raise UserError(" ".join([f"Quotas cannot be met: {'; '.join(short)} are missing. {advice}", *unmatched]))
    for line in unmatched:
        progress.note(f"nothing matches: {line}")
    for line in short:
        progress.note(f"quota not met: {line} are missing")
    for task, account in manifest["tasks"].items():
        for line in short_shares(account):
            progress.note(f"share not met: {task}: {line}")
    for source in idle_sources(manifest):
        progress.note(f"no row of {source}: it was read, and no task made a row from it")


def unmatched_settings(manifest: Mapping[str, Any]) -> list[str]:
    """Say which values of which task's settings no row has that it could draw from, and what there is instead."""
    tasks = sorted(manifest["tasks"].items())
    return [f"[tasks.{task}] {line}" for task, account in tasks for line in account["unmatched"]]


def idle_sources(manifest: Mapping[str, Any]) -> list[str]:
    """Return the sources that were read and that no published row was made from; they may describe its products."""
    accounts = [account["sources"] for account in manifest["tasks"].values()]
    named = {source for account in accounts for source, one in account.items() if one["samples"]}
    return sorted({entry["source"] for entry in manifest["inputs"]} - named)


@dataclass(frozen=True)
class SourceShare:
    """The share of a task that a source was to have, and what it has.

    Attributes
    ----------
    source, wanted
        Which source, and the share that the recipe asks for, in every split.
    drawn, drawn_ood
        Examples that were drawn of it, and how many of them are out of domain.
    made, every
        By split: its examples, and those of all sources.
    """

    source: str
    wanted: float
    drawn: int
    drawn_ood: int
    made: Mapping[str, int]
    every: Mapping[str, int]

    def in_split(self, split: str) -> float | None:
        """Return the share that the source has of a split; None if the split is empty, or not for the source.

        A source with nothing out of domain, such as one without categories, can have no share of the tests of that.
        """
        if not self.every[split] or (split == "test_ood" and not self.drawn_ood):
            return None
        return self.made[split] / self.every[split]

    def is_short(self, split: str) -> bool:
        """Say whether the source has less of a split than it was to have, by more than the rounding of one example."""
        return self.in_split(split) is not None and self.made[split] + 1 < self.wanted * self.every[split]


def source_shares(account: Mapping[str, Any]) -> list[SourceShare]:
    """Return asked and got for each source of a task whose recipe asks for shares; nothing for other tasks.

    Parameters
    ----------
    account
        The task's account in the manifest.
    """
    return [
        SourceShare(source, one["share"], one["drawn"], one["drawn_ood"], one["examples"], account["examples"])
        for source, one in sorted(account["sources"].items())
        if one["share"] is not None
    ]


def short_shares(account: Mapping[str, Any]) -> list[str]:
    """Say which sources of a task have less of a split than the recipe asks for, and how much they have.

    Parameters
    ----------
    account
        The task's account in the manifest.
    """
    return [
        f"{one.source} has {made:,} of {one.every[split_name]:,} in {split_name} "
        f"({one.in_split(split_name):.1%} in place of {one.wanted:.1%})"
        for one in source_shares(account)
        for split_name, made in one.made.items()
        if one.is_short(split_name)
    ]


def _why_nothing(recipe: Recipe, accounts: Mapping[str, Any]) -> str:
    drawn, rejected, dropped = (
        sum(account[kind] if kind == "drawn" else sum(account[kind].values()) for account in accounts.values())
        for kind in ("drawn", "rejected", "dropped")
    )
    if not drawn:
        return (
            f"Recipe '{recipe.name}' yields no example at all. Ask for some with [tasks.<name>] quota, and see that "
            "the sources fill the tables which the tasks read ('ecinstruct tasks list')."
        )
    reasons = Counter[str]()
    for account in accounts.values():
        reasons.update(account["rejected"])
        reasons.update(account["dropped"])
    reason, count = reasons.most_common(1)[0]
    return (
        f"Recipe '{recipe.name}' yields no example at all: of {drawn:,} that were drawn the checks rejected "
        f"{rejected:,} and the split dropped {dropped:,}, most often for '{reason}' ({count:,}). Change [checks], or "
        "the quotas in [tasks]."
    )
