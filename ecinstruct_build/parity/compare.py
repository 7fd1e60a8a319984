"""Hold what a built dataset is against what the original is, line by line, with a reason for each difference.

A reason is only given where the books of the build account for the difference to the last row, or where the recipe
asks for what is there. All other differences are unexplained.
"""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from ecinstruct_build.parity.measure import Dataset, Measured
from ecinstruct_build.parity.shares import (
    TOLERANCE,
    Expected,
    distance,
    expected_answers,
    expected_lists,
    independence,
    percent,
    reason_of,
    too_few,
)
from ecinstruct_build.splits import SPLITS

Verdict = Literal["same", "explained", "too few", "unexplained"]
"""``too few``: rows that say nothing, whatever is in them; see `ecinstruct_build.parity.shares.too_few`."""

_FEW = 30  # rows up to which chance may well miss a wording


@dataclass(frozen=True)
class Line:
    """One comparison: what of which task, ours and the original's, and why they differ; ``source`` of the fact."""

    task: str
    what: str
    ours: str
    original: str
    verdict: Verdict
    reason: str
    source: str


@dataclass(frozen=True)
class Parity:
    """All comparisons of a dataset; it passes if nothing is unexplained."""

    lines: tuple[Line, ...]

    @property
    def passed(self) -> bool:
        """Whether each difference has a reason."""
        return all(line.verdict != "unexplained" for line in self.lines)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"passed": self.passed, "lines": [asdict(line) for line in self.lines]}


def read_facts() -> dict[str, Any]:
    """Return what is known of the original, as `facts.toml` beside this module has it."""
    return tomllib.loads(Path(__file__).with_name("facts.toml").read_text(encoding="utf-8"))


def compare(dataset: Dataset, facts: Mapping[str, Any]) -> Parity:
    """Compare a built dataset with the original."""
    lines = [_columns(dataset, facts)]
    for task in (name for name in facts["corpora"] if name != "from"):
        lines += _task_lines(task, dataset, facts)
    return Parity((*_totals(dataset, facts, lines), *lines))


def _line(  # noqa: PLR0917 - the columns of a line
    task: str, what: str, ours: str, original: str, reason: str, source: str, *, same: bool | None = None
) -> Line:
    if same if same is not None else ours == original:
        return Line(task, what, ours, original, "same", "", source)
    return Line(task, what, ours, original, "explained" if reason else "unexplained", reason, source)


def _columns(dataset: Dataset, facts: Mapping[str, Any]) -> Line:
    wanted = facts["columns"]["names"]
    ours = ", ".join(dataset.columns[: len(wanted)])
    return _line("all", "first columns", ours, ", ".join(wanted), "", facts["columns"]["from"])


def _totals(dataset: Dataset, facts: Mapping[str, Any], lines: list[Line]) -> Iterator[Line]:
    held = [task for task in dataset.tasks if task in facts["corpora"]]
    sizes = {split: sum(dataset.tasks[task].rows[split] for task in held) for split in SPLITS}
    counts = [line for line in lines if line.what.startswith("rows of ")]
    for name, ours, table in (
        *((f"all rows of {split}", size, "totals") for split, size in sizes.items()),
        ("all examples", sum(sizes.values()), "size"),
    ):
        split = name.removeprefix("all rows of ")
        original = facts["totals"][split] if table == "totals" else facts["size"]["examples"]
        parts = [line for line in counts if name == "all examples" or line.what == f"rows of {split}"]
        differ = [line for line in parts if line.verdict != "same"]
        explained = bool(differ) and all(line.verdict == "explained" for line in differ)
        reason = f"the sum of {len(differ)} differences below" if explained else ""
        yield _line("all", name, f"{ours:,}", f"{original:,}", reason, facts[table]["from"])
    missing = [line.task for line in lines if line.what == "task" and line.verdict == "explained"]
    number = facts["size"]["tasks"]
    reason = f"the recipe does not ask for {', '.join(missing)}" if len(held) + len(missing) == number else ""
    yield _line("all", "tasks", str(len(held)), str(number), reason, facts["size"]["from"])


def _task_lines(task: str, dataset: Dataset, facts: Mapping[str, Any]) -> Iterator[Line]:
    account = dataset.manifest["tasks"].get(task)
    asked = _asked(dataset, task)
    if task not in dataset.tasks:
        reason = "" if account else "the recipe does not ask for this task"
        yield _line(task, "task", "none", "there", reason, facts["size"]["from"])
    found = dataset.tasks.get(task, Measured())
    for split, original, source in _sizes(task, facts):
        yield _line(
            task,
            f"rows of {split}",
            f"{found.rows[split]:,}",
            f"{original:,}",
            count_reason(account, split, found.rows[split], original),
            source,
        )
    if task in dataset.tasks:
        yield from _origin(task, found, dataset, facts, asked)
        yield from _instructions(task, found, dataset, facts)
        yield from _forms(task, found, facts, asked)
        yield from _shares(task, found, dataset, facts, asked)


def count_reason(account: Mapping[str, Any] | None, split: str, ours: int, original: int) -> str:
    """Return why a split has other than the original's number of rows, or "" if the books do not account for it.

    Parameters
    ----------
    account
        The manifest's entry of the task, or None if the recipe does not ask for it.
    split
        One of the assigned splits.
    ours, original
        Rows of the split.
    """
    if account is None:
        return "" if ours else "the recipe does not ask for this task"
    wanted = account["wanted"].get(split, 0)
    short = account["shortfall"].get(split, 0)
    if account["examples"].get(split, 0) != ours or wanted - short != ours:
        return ""
    reasons = [f"the recipe asks for {wanted:,}"] if wanted != original else []
    if short:
        losses = {**account["rejected"], **account["dropped"]}
        most = max(losses, key=lambda name: (losses[name], name), default="")
        largest = f", most lost to '{most}' ({losses[most]:,})" if most else ""
        asked = sum(account["wanted"].values())
        reasons.append(f"{short:,} short: {account['drawn']:,} drawn for {asked:,} asked for{largest}")
    return "; ".join(reasons)


def _sizes(task: str, facts: Mapping[str, Any]) -> Iterator[tuple[str, int, str]]:
    for split, number in facts["counts"].get(task, facts["counts"]["each"]).items():
        yield split, number, facts["counts"]["from"]
    ood = facts["out_of_domain"]
    yield "test_ood", ood["test_ood"] if task in ood["tasks"] else 0, ood["from"]


def _origin(
    task: str, found: Measured, dataset: Dataset, facts: Mapping[str, Any], asked: Mapping[str, Any]
) -> Iterator[Line]:
    original = facts["corpora"][task]
    named = asked.get("sources") or list(dataset.manifest.get("recipe", {}).get("sources", {}))
    others = original in found.corpora or original not in named
    known = others and bool(named) and all(name in named for name in found.corpora)
    reason = f"the recipe names {', '.join(named)}" if known else ""
    yield _line(task, "corpora", ", ".join(sorted(found.corpora)), original, reason, facts["corpora"]["from"])
    categories = facts["out_of_domain_categories"]
    if task in categories and found.rows["test_ood"]:
        ours = sorted(found.ood_categories)
        reason = f"the recipe asks for {', '.join(ours)}" if sorted(asked.get("ood", ())) == ours else ""
        yield _line(task, "out of domain", ", ".join(ours), categories[task], reason, categories["from"])


def _instructions(task: str, found: Measured, dataset: Dataset, facts: Mapping[str, Any]) -> Iterator[Line]:
    original = facts["instructions"]
    paraphrases = dataset.manifest.get("recipe", {}).get("templates", {}).get("paraphrases", original["seen"])
    for what, ours in (("seen", len(found.seen)), ("unseen", len(found.unseen))):
        asked = what == "seen" and ours == paraphrases != original["seen"]
        reason = f"the recipe asks for {paraphrases} paraphrases" if asked else ""
        if paraphrases is None and ours > original[what]:
            reason = "the recipe asks for all paraphrases that there are"
        rows = (found.seen if what == "seen" else found.unseen).total()
        if ours < original[what] and rows < _FEW:
            reason = f"there are {rows} rows only"
        yield _line(task, f"{what} instructions", str(ours), str(original[what]), reason, original["from"])


def _forms(task: str, found: Measured, facts: Mapping[str, Any], asked: Mapping[str, Any]) -> Iterator[Line]:
    source = facts["options"]["from"]
    if task in facts["options"]:
        allowed = facts["options"][task]
        ours = sorted(found.options)
        negatives = asked.get("negatives")
        reason = f"the recipe asks for {negatives} negatives" if negatives and ours == [negatives + 1] else ""
        shown = " or ".join(map(str, allowed))
        same = all(number in allowed for number in ours)
        yield _line(task, "options", " or ".join(map(str, ours)), shown, reason, source, same=same)
    if task == "sequential_recommendation":
        most, limit = facts["history"]["most"], asked.get("max_history")
        reason = f"the recipe asks for up to {limit}" if limit and most < found.history <= limit else ""
        same = 0 < found.history <= most
        yield _line(
            task, "longest history", str(found.history), f"<= {most}", reason, facts["history"]["from"], same=same
        )


def _shares(
    task: str, found: Measured, dataset: Dataset, facts: Mapping[str, Any], asked: Mapping[str, Any]
) -> Iterator[Line]:
    account = dataset.manifest["tasks"].get(task) or {}
    if task == "query_product_ranking" and found.rows["test"]:
        lengths, grades = expected_lists(account, asked, found)
        ours = {str(number): count for number, count in sorted(found.test_options.items())}
        independent = independence(found.ties.get("test", ()))
        yield _share_line(task, "list lengths of test", ours, facts["ranking_lengths"], lengths, independent)
        yield _share_line(task, "labels of test", found.grades, facts["ranking_labels"], grades, independent)
    if task == "product_matching":
        ratio = asked.get("negatives_per_match", 1.0)
        wanted = Expected({"yes": 1.0, "no": ratio}, f"the recipe asks for {ratio:g} negatives a match")
        expected = wanted if ratio != 1.0 else None
        yield _share_line(task, "matches and others", found.outputs, facts["matching_labels"], expected)
    said = facts["labels"].get(task, {})
    for split in (split for split in SPLITS if split in said and found.rows[split]):
        fact = {"shares": said[split], "from": said["from"]}
        answers = found.labels.get(split, Counter())
        if "other" in said[split]:
            named = {name: answers[name] for name in said[split] if name != "other"}
            answers = Counter({**named, "other": answers.total() - sum(named.values())})
        expected = expected_answers(task, account, asked, found, split)
        independent = independence(found.ties.get(split, ()))
        yield _share_line(task, f"answers of {split}", answers, fact, expected, independent)


def _share_line(  # noqa: PLR0917 - ours and theirs, and how far apart they may be
    task: str,
    what: str,
    ours: Mapping[str, int],
    fact: Mapping[str, Any],
    expected: Expected | None,
    independent: float = 1.0,
) -> Line:
    far, original = distance(ours, fact["shares"]), percent(fact["shares"], fact["shares"])
    shown = percent(ours, fact["shares"])
    if few := too_few(ours, expected, fact["shares"], independent):
        return Line(task, what, shown, original, "too few", few, fact["from"])
    reason = reason_of(ours, expected, fact["shares"], independent)
    said = f"{reason} (total variation {far:.2f})" if reason else ""
    return _line(task, what, shown, original, said, fact["from"], same=far <= TOLERANCE)


def _asked(dataset: Dataset, task: str) -> Mapping[str, Any]:
    asked: Mapping[str, Any] = dataset.manifest.get("recipe", {}).get("tasks", {}).get(task, {})
    return asked
