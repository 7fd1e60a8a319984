"""Write an audit down: ``audit.json`` and a page for people, in HTML that needs nothing else."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from ecinstruct_build.audit.language import CONFIDENCE, LEAST_LETTERS
from ecinstruct_build.audit.minhash import MISS
from ecinstruct_build.audit.near import LAYOUT_INPUTS, LAYOUT_SHARE, MIN_WORDS
from ecinstruct_build.audit.result import ROLES, Audit, Fault, Overlap
from ecinstruct_build.audit.texts import MIN_TITLE, counted
from ecinstruct_build.errors import UserError

JSON_NAME = "audit.json"
PAGE_NAME = "audit.html"

SHOWN_EXAMPLES = 20
"""Things that the page shows of each kind and place; ``audit.json`` names more."""

KIND_MEANINGS = {
    "family": "product families (ids that are one product), from the column families",
    "product": "product ids, from the column products",
    "title": f"product titles read out of inputs and options, of at least {MIN_TITLE} letters and digits",
    "user": "users, from the column groups",
    "query": "queries, from the column groups",
    "question": "questions, from the column groups",
    "query text": "queries as the input words them",
    "question text": "questions as the input words them",
    "attribute": "attributes asked for; these may recur within the domain",
    "category": "the task's domain column; categories may recur within the domain",
    "input": "the same input, but for case and white space, in any task",
    "row": "the same input, options and output",
    "instruction": "instructions of the unseen-instruction tests, within a task",
    "near": "inputs that are nearly the same, in any task",
}


@dataclass(frozen=True)
class MatrixRow:
    """One kind's line in the leakage matrix: an overlap, or None, for each column.

    Attributes
    ----------
    kind, meaning
        What is compared, and in words.
    limited
        Whether there is a limit; without one the kind is reported only.
    cells
        One for each of `matrix_columns`.
    """

    kind: str
    meaning: str
    limited: bool
    cells: tuple[Overlap | None, ...]


@dataclass(frozen=True)
class Grid:
    """The leakage matrix as the page lays it out: pairs of splits of which many kinds are compared, and the others.

    Attributes
    ----------
    heads
        The first splits of the columns, each with how many columns it has.
    columns, rows
        Pairs of splits of which several kinds are compared, and the matrix's rows for just these.
    others
        What is compared of the remaining pairs, each with its row: a column for one field would stand empty.
    """

    heads: tuple[tuple[str, int], ...]
    columns: tuple[tuple[str, str], ...]
    rows: tuple[MatrixRow, ...]
    others: tuple[tuple[MatrixRow, Overlap], ...]


def write_audit(audit: Audit, folder: Path) -> None:
    """Write ``audit.json`` and ``audit.html`` into a folder, which is made if it is not there.

    Raises
    ------
    UserError
        If the folder or a file in it cannot be written.
    """
    papers = audit_papers(audit)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_papers(papers, folder)
    except OSError as error:
        raise UserError(
            f"The findings of the audit cannot be written into '{folder}': {error.strerror or error}. Give a folder "
            "that you may write to, with space left."
        ) from error


def audit_papers(audit: Audit) -> dict[str, str]:
    """Return the text of ``audit.json`` and of ``audit.html``, by name."""
    return {JSON_NAME: audit.to_json(), PAGE_NAME: audit_page(audit)}


def write_papers(papers: Mapping[str, str], folder: Path) -> None:
    """Write what `audit_papers` returned into a folder."""
    for name, text in papers.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


@cache
def page_template() -> Template:
    """Return the page's template; compiling it takes a while, once."""
    source = resources.files("ecinstruct_build.audit").joinpath("page.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["breakable"] = breakable
    return environment.from_string(source)


def audit_page(audit: Audit) -> str:
    """Return the page: verdict, leakage matrix, out-of-domain proof, faults, balance, and examples."""
    return page_template().render(
        audit=audit,
        matrix=matrix(audit),
        grid=grid(audit),
        counts=_counts(audit),
        roles=[role for role in (*ROLES, "") if any(role == one for _, one, _ in audit.counts)],
        proof_kinds=list(dict.fromkeys(one.kind for one in audit.proofs)),
        faults=fault_totals(audit.faults),
        found=[one for one in audit.overlaps if one.values],
        faulty=[one for one in audit.faults if one.rows],
        shown=SHOWN_EXAMPLES,
        is_over=is_over,
        verdict=verdict(audit),
        yardstick=yardstick(audit),
        counted=counted,
        definitions={
            "jaccard": audit.limits["jaccard"],
            "layout_share": LAYOUT_SHARE,
            "layout_inputs": LAYOUT_INPUTS,
            "min_words": MIN_WORDS,
            "miss": MISS,
            "letters": LEAST_LETTERS,
            "confidence": CONFIDENCE,
        },
    )


def matrix_columns(audit: Audit) -> list[tuple[str, str]]:
    """Return the pairs of splits of which both have rows."""
    there = {role for _, role, _ in audit.counts}
    pairs = dict.fromkeys((one.left, one.right) for one in audit.overlaps)
    return [pair for pair in pairs if pair[0] in there and pair[1] in there]


def matrix(audit: Audit) -> list[MatrixRow]:
    """Return the leakage matrix: kinds by pairs of splits, without kinds that no row carries anything of."""
    columns = matrix_columns(audit)
    by_kind: dict[str, dict[tuple[str, str], Overlap]] = {}
    for one in audit.overlaps:
        by_kind.setdefault(one.kind, {})[one.left, one.right] = one
    rows = []
    for kind, cells in by_kind.items():
        if any(one.left_carrying or one.right_carrying for one in cells.values()):
            limited = any(audit.limits[one.limit] is not None for one in cells.values())
            shown = tuple(cells.get(pair) for pair in columns)
            rows.append(MatrixRow(kind, KIND_MEANINGS.get(kind, ""), limited, shown))
    return rows


def grid(audit: Audit) -> Grid:
    """Return the leakage matrix laid out for a page: as few columns as hold it."""
    pairs, rows = matrix_columns(audit), matrix(audit)
    compared = [[row for row in rows if row.cells[place] is not None] for place in range(len(pairs))]
    wide = [place for place, kinds in enumerate(compared) if len(kinds) > 1]
    heads = Counter(pairs[place][0] for place in wide)
    others = (
        (row, cell)
        for place, kinds in enumerate(compared)
        if place not in wide
        for row in kinds
        if (cell := row.cells[place]) is not None
    )
    return Grid(
        heads=tuple(heads.items()),
        columns=tuple(pairs[place] for place in wide),
        rows=tuple(
            replace(row, cells=cells) for row in rows if any(cells := tuple(row.cells[place] for place in wide))
        ),
        others=tuple(others),
    )


def breakable(name: str) -> Markup:
    """Return a name as HTML that may go on in another line after an underscore, and nowhere within a word."""
    return escape(name).replace("_", Markup("_<wbr>"))


def verdict(audit: Audit) -> str:
    """Return what the audit says of the limits: ``4 limits exceeded``, or that nothing exceeds one."""
    return counted(len(audit.exceeded), "limit") + " exceeded" if audit.exceeded else "nothing exceeds a limit"


def yardstick(audit: Audit) -> str:
    """Return a sentence on what counts as products and groups where there are no ids of them; "" if there are."""
    counts = []
    if not {"products", "families"} & set(audit.columns):
        counts.append("a title counts as a product")
    if "groups" not in audit.columns:
        counts.append("the text of a query or question counts as a group")
    if not counts:
        return ""
    said = " and ".join(counts)
    return f"The rows carry no such ids, so {said}: an export may fail where the dataset with its ids passes."


def is_over(overlap: Overlap, audit: Audit) -> bool:
    """Say whether an overlap exceeds its limit."""
    limit = audit.limits[overlap.limit]
    return limit is not None and overlap.right_rows > limit


def fault_totals(faults: Sequence[Fault]) -> list[tuple[str, int, int, float, str]]:
    """Return for each kind of fault its rows, the rows looked at, its largest share in any place, and that place."""
    totals: dict[str, list[Fault]] = {}
    for one in faults:
        totals.setdefault(one.kind, []).append(one)
    found = []
    for kind, ones in totals.items():
        worst = max(ones, key=lambda one: one.rows / one.checked)
        place = f"{worst.task} ({worst.role})" if worst.rows else ""
        total = sum(one.rows for one in ones)
        found.append((kind, total, sum(one.checked for one in ones), worst.rows / worst.checked, place))
    return found


def _counts(audit: Audit) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for task, role, rows in audit.counts:
        found.setdefault(task, {})[role] = rows
    return found
