"""What the report says of a build, as plain values: what the page is drawn from, and its JSON form."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from ecinstruct_build.reporting.page.reviewed import Review
from ecinstruct_build.shortfall import SourceShare

Counts = Mapping[str, int]


@dataclass(frozen=True)
class SourceFlow:
    """What became of one corpus's records.

    Attributes
    ----------
    source
        Adapter name.
    files, bytes
        Upstream files and their size.
    records
        Records in them: ``ingested + quarantined + collapsed``.
    ingested, quarantined, collapsed
        Records that were taken; set aside as malformed; equal to an earlier one.
    reasons
        Quarantined records by reason.
    drawn, examples
        Examples that tasks drew from it, and those that got into the dataset.
    samples
        Published rows by task.
    """

    source: str
    files: int
    bytes: int
    records: int
    ingested: int
    quarantined: int
    collapsed: int
    reasons: Counts
    drawn: int
    examples: int
    samples: Counts


@dataclass(frozen=True)
class TaskFlow:
    """What became of one task's examples.

    Attributes
    ----------
    task, published_name
        Module name, and the value of the published ``task`` column.
    steps
        What the task counted on its way to the examples that it drew, in order.
    drawn
        Examples: ``rejected + dropped + examples``, summed over reasons and splits.
    rejected, dropped
        Examples left out, by check and reason; by the split's reason.
    repaired, flagged
        Verdicts that left nothing out, by check and reason.
    examples, frozen, wanted
        By split: examples of this build, examples kept from an earlier one, and the quota.
    samples
        Published rows by published split (in the original's layout, by setting and split).
    sources
        The same by source: ``samples`` is their sum.
    unmatched
        Lines on values of the recipe's settings that no row has which the task could draw from.
    shares
        Asked and got for each source; empty where the recipe asks for no shares.
    retention
        In-domain examples that the split could choose from (``examples``), what it could keep of them (``kept``), and
        what hashing each product into a split would have kept (``hashing``).
    retention_by_products
        The same by the number of products in an example.
    """

    task: str
    published_name: str
    steps: tuple[tuple[str, int], ...]
    drawn: int
    rejected: Counts
    dropped: Counts
    repaired: Counts
    flagged: Counts
    examples: Counts
    frozen: Counts
    wanted: Counts
    samples: Counts
    sources: Mapping[str, Counts]
    unmatched: tuple[str, ...]
    shares: tuple[SourceShare, ...]
    retention: Counts
    retention_by_products: Mapping[str, Counts]

    @property
    def made(self) -> int:
        """Examples in the dataset, those kept from an earlier build among them."""
        return sum(self.examples.values()) + sum(self.frozen.values())


@dataclass(frozen=True)
class Lengths:
    """Words of one column's texts in one task.

    Attributes
    ----------
    task, column
        Where; ``input``, ``instruction`` or ``output``.
    texts
        Texts counted: one an example; of instructions, one a published row.
    median, p95, longest
        Words.
    bins
        How many texts have as many words as each bin of `ecinstruct_build.reporting.page.contents.BINS` says.
    """

    task: str
    column: str
    texts: int
    median: int
    p95: int
    longest: int
    bins: tuple[int, ...]


@dataclass(frozen=True)
class Labels:
    """How often each label of a task is right.

    Attributes
    ----------
    task, names
        The task and its labels; options in letter order, else up to three by name, more by how frequent
        they are.
    counts
        By split, examples for each of ``names``.
    """

    task: str
    names: tuple[str, ...]
    counts: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Positions:
    """At which letters the right (or best) options of a task stand, where chance orders them.

    Attributes
    ----------
    task, examples
        The task, and how many examples.
    letters
        Letter, examples whose right option stands there, and how many it would be if all letters were alike.
    probability
        Of letters so uneven by chance; see `ecinstruct_build.audit.balance.position_p`.
    """

    task: str
    examples: int
    letters: tuple[tuple[str, int, float], ...]
    probability: float | None


@dataclass(frozen=True)
class Instruction:
    """How one wording of a task is used.

    Attributes
    ----------
    template_id, text
        Which, and its words.
    held_out
        Whether rows that test unseen instructions have it.
    rows
        Published rows by published split.
    """

    template_id: str
    text: str
    held_out: bool
    rows: Counts


@dataclass(frozen=True)
class Diversity:
    """How different a task's texts are.

    Attributes
    ----------
    task
        The task.
    instructions
        The wordings and their use.
    distinct_1, distinct_2
        Different words, and different pairs of neighbouring words, divided by all of them, over the wordings.
    overlap
        Mean Jaccard similarity of the word sets of two wordings; None with fewer than two.
    inputs, distinct_inputs, distinct_outputs
        Examples; different inputs and outputs among them.
    """

    task: str
    instructions: tuple[Instruction, ...]
    distinct_1: float
    distinct_2: float
    overlap: float | None
    inputs: int
    distinct_inputs: int
    distinct_outputs: int


@dataclass(frozen=True)
class DuplicatePair:
    """An example that was left out as a duplicate, and the one that it is like.

    Attributes
    ----------
    task, reason, similarity
        Which task's, why, and how much they are alike.
    left_out, text
        Its id and its content, shortened; the text is None where its source's terms forbid publishing it again.
    peer, peer_text
        The same of the other one.
    answer, peer_answer
        Their answers, shortened, where these differ and may be shown; else "".
    """

    task: str
    reason: str
    similarity: float
    left_out: str
    text: str | None
    peer: str
    peer_text: str | None
    answer: str = ""
    peer_answer: str = ""


@dataclass(frozen=True)
class Duplicates:
    """Duplicates that were left out: counts by reason and task, and some of them."""

    counts: Mapping[str, Counts]
    pairs: tuple[DuplicatePair, ...]


@dataclass(frozen=True)
class Locale:
    """The examples of one marketplace.

    Attributes
    ----------
    locale
        ISO 3166, lower case.
    drawn, examples
        Examples drawn, and in the dataset.
    foreign
        Examples left out for their language, by what was found.
    """

    locale: str
    drawn: int
    examples: int
    foreign: Counts


@dataclass(frozen=True)
class LeakageRow:
    """What splits share of one kind.

    Attributes
    ----------
    kind, meaning, limited
        What is compared, in words, and whether the audit limits it.
    cells
        For each pair of splits: rows of the second that share it with the first, rows that have any, and whether that
        exceeds the limit; None where there is nothing to compare.
    """

    kind: str
    meaning: str
    limited: bool
    cells: tuple[tuple[int, int, bool] | None, ...]


@dataclass(frozen=True)
class Leakage:
    """The audit's word: whether it passed, what exceeds a limit, and the matrix of pairs of splits by kinds."""

    passed: bool
    exceeded: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    rows: tuple[LeakageRow, ...]


NOT_AUDITED = Leakage(passed=False, exceeded=(), pairs=(), rows=())
"""Stands for the audit's word until that is there."""


@dataclass(frozen=True)
class StageTime:
    """Time of one kind of stage.

    Attributes
    ----------
    stage
        Which.
    ran, reused
        How many ran in this build, and how many were taken from the store.
    seconds, reused_seconds
        What those that ran took, and what the others had taken when they ran.
    """

    stage: str
    ran: int
    reused: int
    seconds: float
    reused_seconds: float


@dataclass(frozen=True)
class ReportData:
    """Everything that the report says.

    Attributes
    ----------
    name, title, description, layout, engine, seeds, versions
        What was built, and with what.
    places, splits
        Published splits (or settings with splits), and splits of examples, in order and without empty ones.
    sources, tasks
        The funnel.
    lengths, labels, positions, diversity, duplicates, locales
        The texts.
    leakage, review
        What the audit and people found; review None = nobody reviewed it.
    planted
        Scores of planted defects, where the corpora were generated; see
        `ecinstruct_build.reporting.planted.gathering.scores_json`.
    stages, peak_memory_bytes
        What it took.
    """

    name: str
    title: str
    description: str
    layout: str
    engine: str
    seeds: Counts
    versions: Mapping[str, str]
    places: tuple[str, ...]
    splits: tuple[str, ...]
    sources: tuple[SourceFlow, ...]
    tasks: tuple[TaskFlow, ...]
    lengths: tuple[Lengths, ...]
    labels: tuple[Labels, ...]
    positions: tuple[Positions, ...]
    diversity: tuple[Diversity, ...]
    duplicates: Duplicates
    locales: tuple[Locale, ...]
    leakage: Leakage
    review: Review | None
    planted: tuple[Mapping[str, Any], ...]
    stages: tuple[StageTime, ...]
    peak_memory_bytes: int

    @property
    def samples(self) -> int:
        """Published rows."""
        return sum(sum(task.samples.values()) for task in self.tasks)

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        values: dict[str, Any] = _plain(self)
        return values


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
