"""What an audit finds, as plain values."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

TRAIN, VALIDATION = "train", "validation"
ROLES = (
    TRAIN,
    VALIDATION,
    "test",
    "test_ood",
    "test_unseen_instructions",
    "test_ood_unseen_instructions",
)
"""What a row is for, named as the splits of a published dataset are."""

OOD_ROLES = ("test_ood", "test_ood_unseen_instructions")
UNSEEN_ROLES = ("test_unseen_instructions", "test_ood_unseen_instructions")
SEEN_ROLES = (TRAIN, VALIDATION, "test", "test_ood")

CELLS = (*((TRAIN, role) for role in ROLES[1:]), *((VALIDATION, role) for role in ROLES[2:]))
"""The pairs of splits of which the second must share nothing with the first."""

MAX_LISTED = 10_000
"""Things found that are named one by one, for each kind and place; all are counted."""


@dataclass(frozen=True, slots=True)
class Shared:
    """One thing that stands in two splits.

    Attributes
    ----------
    value
        What is shared (long texts shortened); of a pair of near duplicates, the input in the first split.
    other
        Of a pair of near duplicates, the input in the second split; else "".
    similarity
        Jaccard similarity of near duplicates; 1 for all else.
    left, left_task, left_rows
        The first row that has it in the first split, that row's task, and how many rows have it.
    right, right_task, right_rows
        The same in the second split.
    """

    value: str
    other: str
    similarity: float
    left: str
    left_task: str
    left_rows: int
    right: str
    right_task: str
    right_rows: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two splits share of one kind.

    Attributes
    ----------
    kind
        ``family``, ``product``, ``title``, ``user``, ``query``, ``input``, ``near`` and so on.
    left, right
        The two splits; the second must share nothing with the first.
    limit
        Name of the limit that it counts against.
    values
        Different things shared (pairs, of near duplicates).
    left_rows, right_rows
        Rows of each split that have one of them.
    left_carrying, right_carrying
        Rows of each split that have anything of this kind: without any, zero proves nothing.
    listed
        The shared things, by name; at most `MAX_LISTED`.
    """

    kind: str
    left: str
    right: str
    limit: str
    values: int
    left_rows: int
    right_rows: int
    left_carrying: int
    right_carrying: int
    listed: tuple[Shared, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """What the rows of an out-of-domain test share with training, of one kind.

    Attributes
    ----------
    role
        The test.
    kind
        As in `Overlap`; ``anything`` counts rows that share something of any kind.
    rows, carrying, shared
        Rows of the test, those that have anything of the kind, and those that share it with training.
    """

    role: str
    kind: str
    rows: int
    carrying: int
    shared: int


@dataclass(frozen=True, slots=True)
class Fault:
    """Rows of one task and split with one fault.

    Attributes
    ----------
    kind
        ``null``, ``html`` and so on.
    task, role
        Where; role "" = rows whose split nobody knows.
    limit
        Name of the limit that it counts against.
    rows, checked
        Rows with the fault, and rows that were looked at.
    listed
        Row and detail of each; at most `MAX_LISTED`.
    """

    kind: str
    task: str
    role: str
    limit: str
    rows: int
    checked: int
    listed: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Balance:
    """Labels and letters of the right options of one task in one split.

    Attributes
    ----------
    task, role, rows
        Where, and how many rows; rows that differ in their setting only count once.
    labels
        Labels with their shares, the most frequent first; empty where answers are not of a few kinds.
    majority, majority_accuracy
        The most frequent label of training ("" if there is none), and how often it is right here.
    letters
        How often the right (or best) option stands at each letter, where options differ from row to row.
    position_p
        Probability of so uneven letters by chance (see `ecinstruct_build.audit.balance.position_p`); None where there
        are none.
    """

    task: str
    role: str
    rows: int
    labels: tuple[tuple[str, float], ...]
    majority: str
    majority_accuracy: float | None
    letters: tuple[tuple[str, int], ...]
    position_p: float | None


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A limit that is exceeded.

    Attributes
    ----------
    what
        In words, such as "held-out rows share a user".
    where
        Task, split or pair of splits.
    found, limit
        What there is, and what is tolerated.
    setting
        Name of the limit.
    """

    what: str
    where: str
    found: float
    limit: float
    setting: str

    def __str__(self) -> str:
        return f"{self.what}: {self.found:,.6g} (limit {self.limit:,.6g}, {self.setting}) in {self.where}"


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found in a published dataset.

    Attributes
    ----------
    rows, files
        How much was read.
    columns
        Which optional columns were there to be read.
    counts
        Rows by task and split.
    overlaps, proofs, balances, faults
        What was found, zeros included.
    exceeded
        The limits that are exceeded; none = the audit passed.
    limits
        The limits by name.
    """

    rows: int
    files: int
    columns: tuple[str, ...]
    counts: tuple[tuple[str, str, int], ...]
    overlaps: tuple[Overlap, ...]
    proofs: tuple[Proof, ...]
    balances: tuple[Balance, ...]
    faults: tuple[Fault, ...]
    exceeded: tuple[Exceeded, ...]
    limits: Mapping[str, Any]

    @property
    def passed(self) -> bool:
        """Whether nothing exceeds a limit."""
        return not self.exceeded

    def to_json(self) -> str:
        """Return everything as JSON, the same text for the same rows in whatever order or files."""
        return json.dumps({"passed": self.passed, **asdict(self)}, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
