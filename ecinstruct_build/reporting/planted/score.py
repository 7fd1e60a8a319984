"""The score of a build on generated corpora: which planted defects were found, by kind, and what was found besides.

A defect counts once it could do harm: an example was made of its record, and shows the part that was spoiled. It is
*found* where the rule of its kind is kept: the line is quarantined, the text is mended or judged, no example was made.
Everything that was not planted counts as clean, so precision is a lower bound where the made-up world has cases of its
own; the rule says so.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from ecinstruct_build.example import Example, Item, Option
from ecinstruct_build.reporting.planted.rules import RULES, SHOWN, How, Rule
from ecinstruct_build.sample_corpora.ledger import KINDS, OTHER_VARIATION, Entry, Kind
from quality.content import strings

Line = tuple[str, str, int]
"""Corpus, file and line of a record."""


@dataclass(frozen=True)
class Evidence:
    """What a build did, as far as the score asks.

    Attributes
    ----------
    quarantined, collapsed
        Lines that ingest set aside.
    drawn
        By task, the examples that were drawn.
    repaired
        The same, as checks mended them.
    verdicts
        By task, rows of `ecinstruct_build.check.VERDICT_SCHEMA`.
    pairs
        Two examples that must not stand in two splits, with the reason: (left, right, reason).
    families
        Family by product, for products that are in one with others.
    splits
        By product, the splits that it was published in.
    """

    quarantined: Collection[Line]
    collapsed: Collection[Line]
    drawn: Mapping[str, Sequence[Example]]
    repaired: Mapping[str, Sequence[Example]]
    verdicts: Mapping[str, Sequence[Mapping[str, Any]]]
    pairs: Collection[tuple[str, str, str]] = ()
    families: Mapping[str, str] = field(default_factory=dict)
    splits: Mapping[str, Collection[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Score:
    """How well a kind of defect was found.

    Attributes
    ----------
    kind, form
        What was planted; the form of it (a kind of private data, an encoding), or "" for all together.
    planted
        In the ledger.
    reachable
        Shown by an example; for lines, labels and texts that no example must be made of, all of them.
    found
        Of those that are reachable.
    missed
        Places of the others, as ``source/file:line``.
    findings, right
        What the kind's checks found, and how much of that stands on planted records.
    natural
        Why more may be found than was planted, or "".
    """

    kind: Kind
    form: str
    planted: int
    reachable: int
    found: int
    missed: tuple[str, ...]
    findings: int
    right: int
    natural: str = ""

    @property
    def recall(self) -> float | None:
        """Share of the reachable that was found; None if nothing is reachable."""
        return self.found / self.reachable if self.reachable else None

    @property
    def precision(self) -> float | None:
        """Share of the findings that was planted; None if nothing was found."""
        return self.right / self.findings if self.findings else None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, with recall and precision."""
        return {**asdict(self), "missed": list(self.missed), "recall": self.recall, "precision": self.precision}


def score(ledger: Sequence[Entry], evidence: Evidence) -> list[Score]:
    """Score every kind of the ledger, in the ledger's order of kinds; forms follow their kind."""
    by_kind: dict[Kind, list[Entry]] = defaultdict(list)
    for entry in ledger:
        by_kind[entry.kind].append(entry)
    look = _Look(evidence, _true_families(ledger))
    scores = []
    for kind in KINDS:
        entries, rule = by_kind.get(kind, []), RULES[kind]
        if not entries:
            continue
        scores.append(_score(_Lot(kind, "", entries), rule, look))
        for form in sorted(
            {entry.reason for entry in entries if entry.reason and (rule.findings or rule.how == "joined")}
        ):
            own = tuple(finding for finding in rule.findings if finding.endswith(f": {form}"))
            lot = _Lot(kind, form, [entry for entry in entries if entry.reason == form], told_apart=bool(own))
            scores.append(_score(lot, replace(rule, findings=own or rule.findings), look))
    return scores


@dataclass(frozen=True)
class _Lot:
    """Entries that are scored together: a kind, or one form of it.

    Attributes
    ----------
    told_apart
        Whether findings of this form can be told from those of the others.
    """

    kind: Kind
    form: str
    entries: Sequence[Entry]
    told_apart: bool = True


class _Look:
    """Looks things up in the evidence: examples by the lines that they show, verdicts by example."""

    def __init__(self, evidence: Evidence, families: Mapping[str, str]) -> None:
        self.evidence = evidence
        self.true_families = families
        self.task_of = {one.example_id: task for task, examples in evidence.drawn.items() for one in examples}
        self.drawn = {one.example_id: one for examples in evidence.drawn.values() for one in examples}
        self.repaired = {one.example_id: one for examples in evidence.repaired.values() for one in examples}

    @cached_property
    def shown(self) -> Mapping[Line, Sequence[Example]]:
        """Examples by the lines that they show, in order of task and id; spare options are not shown."""
        found: dict[Line, list[Example]] = defaultdict(list)
        for example in self.drawn.values():
            for place in example.all_origins:
                found[place.source, place.file, place.line].append(example)
        return found

    @cached_property
    def words(self) -> Mapping[str, set[tuple[str, str]]]:
        """What checks said against examples: (``check: reason``, action) by example."""
        found: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for rows in self.evidence.verdicts.values():
            for row in rows:
                if row["action"] != "keep":
                    found[row["example_id"]].add((f"{row['check']}: {row['reason']}", row["action"]))
        return found

    @cached_property
    def paired(self) -> set[frozenset[str]]:
        """Pairs of examples that a check or the split knows of."""
        named = {frozenset((left, right)) for left, right, _ in self.evidence.pairs}
        for rows in self.evidence.verdicts.values():
            named |= {frozenset((row["example_id"], row["peer"])) for row in rows if row["peer"]}
        return named

    @cached_property
    def drawn_products(self) -> set[str]:
        """Products of all examples."""
        return {product for example in self.drawn.values() for product in example.all_products}

    def examples(self, line: Line, field_name: str | None) -> list[Example]:
        """Return the examples that show a part of a record."""
        tasks = None if field_name is None else SHOWN.get(field_name)
        found = self.shown.get(line, ())
        return [example for example in found if tasks is None or self.task_of[example.example_id] in tasks]

    def judged(self, example: Example, findings: Collection[str]) -> bool:
        """Tell whether a check said one of ``findings`` of an example."""
        return any(finding in findings for finding, _ in self.words.get(example.example_id, ()))


def _score(lot: _Lot, rule: Rule, look: _Look) -> Score:
    answers = [(entry, _ANSWERS[rule.how](entry, rule, look)) for entry in lot.entries]
    missed = tuple(dict.fromkeys(_place(entry) for entry, found in answers if found is False))
    reached = [found for _, found in answers if found is not None]
    findings, right = _findings(lot, rule, look)
    return Score(
        kind=lot.kind,
        form=lot.form,
        planted=len(lot.entries),
        reachable=len(reached),
        found=sum(reached),
        missed=missed,
        findings=findings,
        right=right,
        natural=rule.natural,
    )


def _quarantined(entry: Entry, _rule: Rule, look: _Look) -> bool | None:
    return _line(entry) in look.evidence.quarantined


def _collapsed(entry: Entry, _rule: Rule, look: _Look) -> bool | None:
    return _line(entry) in look.evidence.collapsed


def _judged(entry: Entry, rule: Rule, look: _Look) -> bool | None:
    examples = _pair_examples(entry, look) if entry.partner else look.examples(_line(entry), entry.field)
    return all(look.judged(example, rule.findings) for example in examples) if examples else None


def _mended(entry: Entry, rule: Rule, look: _Look) -> bool | None:
    """Nothing of it is left in any example that goes on, or a check says where it is left."""
    examples = look.examples(_line(entry), entry.field)
    if not examples:
        return None
    return all(
        not _is_left(entry, look.repaired[example.example_id]) or _is_told(example, rule, look) for example in examples
    )


def _is_told(example: Example, rule: Rule, look: _Look) -> bool:
    """Tell whether a check rejects or flags an example for it, or another one leaves the example out."""
    said = look.words.get(example.example_id, ())
    return any(action == "reject" or (finding in rule.findings and action == "flag") for finding, action in said)


def _is_left(entry: Entry, example: Example) -> bool:
    texts = _texts_of(example, _line(entry))
    if entry.kind == "placeholder_title":
        return entry.note in texts
    return any(trace in text for trace in _traces(entry) for text in texts)


def _traces(entry: Entry) -> list[str]:
    note = entry.note or ""
    if entry.kind == "invisible":
        return [chr(int(note[2:], 16))]
    if entry.kind == "html" and entry.field != "feature":
        return note.split(", ")
    return [" ".join(note.split())]


def _texts_of(example: Example, line: Line) -> list[str]:
    """Return the texts of an example that may come from a line: fields and answer, and what names the line."""
    listed: list[Item | Option] = [*example.context, *example.options]
    named = [one.text for one in listed if (one.source, one.file, one.line) == line or not one.line]
    return [*strings(dict(example.fields)), *strings(example.answer), *named]


def _pair(entry: Entry, rule: Rule, look: _Look) -> bool | None:
    ours = look.examples(_line(entry), entry.field)
    theirs = look.examples(_partner(entry), "reviewText")
    if not ours or not theirs:
        return None
    return all(
        frozenset((one.example_id, other.example_id)) in look.paired
        or any(look.judged(example, rule.findings) or _is_told(example, rule, look) for example in (one, other))
        for one in ours
        for other in theirs
        if one.example_id != other.example_id
    )


def _pair_examples(entry: Entry, look: _Look) -> list[Example]:
    """Return the examples that show both records of an entry."""
    theirs = {example.example_id for example in look.examples(_partner(entry), entry.field)}
    return [example for example in look.examples(_line(entry), entry.field) if example.example_id in theirs]


def _undrawn(entry: Entry, _rule: Rule, look: _Look) -> bool | None:
    if entry.kind != "contradicting_relation":
        return not look.examples(_line(entry), entry.field)
    pair = set(_products(entry))
    shown = look.examples(_line(entry), entry.field)
    return not any(pair == set(example.products) for example in shown)


def _apart(entry: Entry, _rule: Rule, look: _Look) -> bool | None:
    published = [set(look.evidence.splits[key]) for key in _products(entry) if key in look.evidence.splits]
    return all("train" not in splits or len(splits) == 1 for splits in published) if published else None


def _joined(entry: Entry, _rule: Rule, look: _Look) -> bool | None:
    drawn = [key for key in _products(entry) if key in look.drawn_products]
    if len(drawn) < 2 or entry.reason == OTHER_VARIATION:
        return None
    return len({look.evidence.families.get(key, key) for key in drawn}) == 1


_ANSWERS: Mapping[How, Callable[[Entry, Rule, _Look], bool | None]] = {
    "quarantined": _quarantined,
    "collapsed": _collapsed,
    "judged": _judged,
    "mended": _mended,
    "pair": _pair,
    "undrawn": _undrawn,
    "apart": _apart,
    "joined": _joined,
}
"""Whether an entry was found; None if it was in no example's reach."""


def _findings(lot: _Lot, rule: Rule, look: _Look) -> tuple[int, int]:
    """Return how much was found of a kind, and how much of that stands on planted records."""
    if not lot.told_apart:
        return 0, 0
    lines = {_line(entry) for entry in lot.entries} | {_partner(entry) for entry in lot.entries if entry.partner}
    if rule.how in ("quarantined", "collapsed"):
        aside = look.evidence.quarantined if rule.how == "quarantined" else look.evidence.collapsed
        return len(aside), sum(line in lines for line in aside)
    if rule.how == "joined":
        return _joined_findings(look)
    wanted = set(rule.findings)
    said = [
        look.drawn[example_id]
        for example_id, words in look.words.items()
        if example_id in look.drawn
        for finding, _ in words
        if finding in wanted
    ]
    return len(said), sum(not lines.isdisjoint(_lines_of(example)) for example in said)


def _joined_findings(look: _Look) -> tuple[int, int]:
    """Return how many drawn products were joined to another one of theirs, and to how many rightly."""
    members: dict[str, list[str]] = defaultdict(list)
    for key in sorted(look.drawn_products):
        if key.startswith("asin:") and key in look.evidence.families:
            members[look.evidence.families[key]].append(key)
    pairs = [(found[0], other) for found in members.values() for other in found[1:]]
    alike = sum(look.true_families.get(one, one) == look.true_families.get(other, other) for one, other in pairs)
    return len(pairs), alike


def _true_families(ledger: Sequence[Entry]) -> Mapping[str, str]:
    """Return a product of its family for each product that the ledger calls a variant or a twin of another one."""
    first: dict[str, str] = {}

    def root(key: str) -> str:
        while first.setdefault(key, key) != key:
            key = first[key]
        return key

    for entry in ledger:
        if entry.kind in ("variant_family", "family_twin"):
            keys = _products(entry)
            for key in keys[1:]:
                first[root(key)] = root(keys[0])
    return {key: root(key) for key in sorted(first)}


def _lines_of(example: Example) -> set[Line]:
    """Return every line that an example goes back to, spare options included: checks look at those as well."""
    spare = {(one.source, one.file, one.line) for one in example.spare_options}
    return spare | {(one.source, one.file, one.line) for one in example.all_origins}


def _products(entry: Entry) -> list[str]:
    return [f"asin:{identity.upper()}" for identity in entry.ids]


def _line(entry: Entry) -> Line:
    return entry.source, entry.file, entry.line


def _partner(entry: Entry) -> Line:
    if entry.partner is None:
        return "", "", 0
    return entry.partner.source or entry.source, entry.partner.file, entry.partner.line


def _place(entry: Entry) -> str:
    return f"{entry.source}/{entry.file}:{entry.line}"
