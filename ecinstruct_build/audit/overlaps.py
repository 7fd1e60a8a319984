"""What splits share: ids, texts, instructions and whatever else a row carries."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ecinstruct_build.audit.reading import Published
from ecinstruct_build.audit.result import CELLS, MAX_LISTED, OOD_ROLES, ROLES, SEEN_ROLES, UNSEEN_ROLES, Overlap, Shared
from ecinstruct_build.audit.texts import MIN_TITLE, normal, plain, recover, shortened

OOD_KINDS = ("attribute", "category")
"""Kinds that may recur within the domain, and never out of it."""

_OOD_CELLS = tuple((left, right) for left, right in CELLS if right in OOD_ROLES)
_UNSEEN_CELLS = tuple((left, right) for right in UNSEEN_ROLES for left in SEEN_ROLES)
_CLASS_OPTIONS = 26  # a task with no more different options than there are letters names classes, not products


@dataclass(frozen=True)
class Carried:
    """What rows carry of one kind.

    Attributes
    ----------
    kind, limit
        As in `Overlap`.
    cells
        Pairs of splits that are compared.
    rows, codes
        Parallel: a row, and the place in ``names`` of something that it carries.
    names
        The different things.
    """

    kind: str
    limit: str
    cells: tuple[tuple[str, str], ...]
    rows: NDArray[np.int64]
    codes: NDArray[np.int64]
    names: Sequence[str]


def carried_kinds(published: Published, recovered: "Recoveries") -> list[Carried]:
    """Return everything that rows carry, kind by kind, for `compare`."""
    columns = published.table.column_names
    by_id = "products" in columns or "families" in columns
    kinds = []
    if "families" in columns:
        kinds.append(_listed(published, "families", "family", "family_overlap"))
    if "products" in columns:
        kinds.append(_listed(published, "products", "product", "product_overlap"))
    kinds.append(_spread("title", "title_overlap" if by_id else "product_overlap", CELLS, recovered.titles))
    if "groups" in columns:
        kinds += _groups(published)
    text_limit = "text_overlap" if "groups" in columns else "group_overlap"
    kinds.append(_spread("query text", text_limit, CELLS, recovered.queries))
    kinds.append(_spread("question text", text_limit, CELLS, recovered.questions))
    if "category" in columns:
        kinds.append(_categories(published))
    kinds.append(
        _spread("input", "exact_duplicates", CELLS, [(text,) if text else () for text in published.normal_inputs])
    )
    kinds.append(_spread("row", "exact_duplicates", CELLS, _whole_rows(published)))
    kinds.append(_instructions(published))
    return kinds


@dataclass(frozen=True)
class Recoveries:
    """What the texts of rows say of products, queries and questions; parallel to the rows.

    Attributes
    ----------
    titles, queries, questions
        Plain forms, any number for each row.
    prose
        The input without its keys and labels.
    """

    titles: list[tuple[str, ...]]
    queries: list[tuple[str, ...]]
    questions: list[tuple[str, ...]]
    prose: list[str]


def recover_all(published: Published) -> Recoveries:
    """Read what the inputs and options of all rows say; each different text once."""
    inputs = {text: recover(text) for text in dict.fromkeys(published.inputs)}
    found = [inputs[text] for text in published.inputs]
    options = _option_titles(published)
    titles = [tuple(dict.fromkeys((*one.titles, *more))) for one, more in zip(found, options, strict=True)]
    return Recoveries(
        titles, [one.queries for one in found], [one.questions for one in found], [one.prose for one in found]
    )


def compare(carried: Carried, published: Published) -> list[Overlap]:
    """Return what each pair of splits shares of one kind."""
    roles = published.roles[carried.rows]
    present = np.zeros((len(ROLES), len(carried.names)), bool)
    known = roles >= 0
    present[roles[known], carried.codes[known]] = True
    order = np.lexsort((carried.rows, carried.codes))
    index = _Index(carried, order, roles, published)
    found = []
    for left, right in carried.cells:
        one, other = ROLES.index(left), ROLES.index(right)
        shared = present[one] & present[other]
        hits = shared[carried.codes]
        codes = sorted(np.flatnonzero(shared).tolist(), key=lambda code: carried.names[code])
        found.append(
            Overlap(
                kind=carried.kind,
                left=left,
                right=right,
                limit=carried.limit,
                values=len(codes),
                left_rows=_distinct(carried.rows[hits & (roles == one)]),
                right_rows=_distinct(carried.rows[hits & (roles == other)]),
                left_carrying=_distinct(carried.rows[roles == one]),
                right_carrying=_distinct(carried.rows[roles == other]),
                listed=tuple(index.shared(code, one, other) for code in codes[:MAX_LISTED]),
            )
        )
    return found


def sharing_rows(carried: Carried, roles: NDArray[np.int8], left: str, right: str) -> NDArray[np.bool_]:
    """Return which rows, of all, belong to the split ``right`` and share something with ``left``."""
    of_entry = roles[carried.rows]
    there = np.zeros(len(carried.names), bool)
    there[carried.codes[of_entry == ROLES.index(left)]] = True
    sharing = np.zeros(len(roles), bool)
    sharing[carried.rows[there[carried.codes] & (of_entry == ROLES.index(right))]] = True
    return sharing


@dataclass(frozen=True)
class _Index:
    """Which rows carry a thing."""

    carried: Carried
    order: NDArray[np.int64]
    roles: NDArray[np.int8]
    published: Published

    def shared(self, code: int, one: int, other: int) -> Shared:
        codes = self.carried.codes
        begin, end = np.searchsorted(codes, [code, code + 1], sorter=self.order)
        entries = self.order[begin:end]
        rows = self.carried.rows[entries]
        roles = self.roles[entries]
        left, right = rows[roles == one], rows[roles == other]
        ids, tasks = self.published.ids, self.published.tasks
        return Shared(
            value=shortened(self.carried.names[code]),
            other="",
            similarity=1.0,
            left=ids[left[0]],
            left_task=tasks[left[0]],
            left_rows=_distinct(left),
            right=ids[right[0]],
            right_task=tasks[right[0]],
            right_rows=_distinct(right),
        )


def _distinct(rows: NDArray[np.int64]) -> int:
    return int(np.count_nonzero(np.bincount(rows - rows.min()))) if len(rows) else 0


def _spread(kind: str, limit: str, cells: tuple[tuple[str, str], ...], values: Sequence[Sequence[str]]) -> Carried:
    """Lay out what each row carries."""
    places: dict[str, int] = {}
    rows, codes = [], []
    for row, carried in enumerate(values):
        for value in carried:
            rows.append(row)
            codes.append(places.setdefault(value, len(places)))
    return Carried(kind, limit, cells, np.array(rows, np.int64), np.array(codes, np.int64), list(places))


def _listed(published: Published, column: str, kind: str, limit: str) -> Carried:
    """Lay out a column of lists of ids."""
    rows, values = _flat(published, column)
    encoded = values.dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return Carried(kind, limit, CELLS, rows, codes, encoded.dictionary.to_pylist())


def _flat(published: Published, column: str) -> tuple[NDArray[np.int64], pa.Array]:
    """Return the values of a column of lists, with the row of each; nulls and empty ids name nothing."""
    lists = published.table[column].combine_chunks()
    if isinstance(lists, pa.ChunkedArray):
        lists = pa.concat_arrays(lists.chunks)
    rows, values = pc.list_parent_indices(lists), pc.list_flatten(lists)
    kept = pc.fill_null(pc.not_equal(values, ""), fill_value=False)
    return rows.filter(kept).to_numpy(zero_copy_only=False).astype(np.int64), values.filter(kept)


def _groups(published: Published) -> list[Carried]:
    """Split the groups by what they are: the word before the first colon."""
    rows, values = _flat(published, "groups")
    names = values.to_pylist()
    kinds = [name.partition(":")[0] if ":" in name else "group" for name in names]
    found = []
    # Those that a dataset has none of are shown too: nothing was there to be found.
    for kind in dict.fromkeys(["user", "query", "question", "attribute", *sorted(dict.fromkeys(kinds))]):
        if kind == "category":
            continue  # with the column of that name
        places: dict[str, int] = {}
        chosen = [place for place, one in enumerate(kinds) if one == kind]
        codes = [places.setdefault(names[place], len(places)) for place in chosen]
        ood = kind in OOD_KINDS
        found.append(
            Carried(
                kind,
                "ood_overlap" if ood else "group_overlap",
                _OOD_CELLS if ood else CELLS,
                rows[chosen] if chosen else np.zeros(0, np.int64),
                np.array(codes, np.int64),
                list(places),
            )
        )
    return found


def _categories(published: Published) -> Carried:
    """Lay out the categories by task, but of rows whose domain goes by attributes."""
    lists = published.table["groups"].to_pylist() if "groups" in published.table.column_names else []
    values = []
    for row, (task, category) in enumerate(zip(published.tasks, published.texts("category"), strict=True)):
        groups = [group or "" for group in lists[row] or ()] if lists else []
        by_attribute = any(group.startswith("attribute:") for group in groups)
        stated = [group for group in groups if group.startswith("category:")]
        own = [category] if category and not by_attribute else []
        values.append([f"{task}: {one.removeprefix('category:')}" for one in dict.fromkeys([*own, *stated])])
    return _spread("category", "ood_overlap", _OOD_CELLS, values)


def _whole_rows(published: Published) -> list[tuple[str, ...]]:
    """Return input, options and output of each row in normal form; rows without an input are no copies."""
    both = [published.texts(column) for column in ("options", "output")]
    made = {text: normal(text) for texts in both for text in dict.fromkeys(texts)}
    rest = [[made[text] for text in texts] for texts in both]
    rows = zip(published.normal_inputs, *rest, strict=True)
    return [(f"{text} ⏎ {options} ⏎ {output}",) if text else () for text, options, output in rows]


def _instructions(published: Published) -> Carried:
    made = {text: normal(text) for text in dict.fromkeys(published.texts("instruction"))}
    pairs = zip(published.tasks, published.texts("instruction"), strict=True)
    values = [[f"{task}: {made[text]}"] if made[text] else [] for task, text in pairs]
    return _spread("instruction", "instruction_overlap", _UNSEEN_CELLS, values)


def _option_titles(published: Published) -> list[tuple[str, ...]]:
    """Return the titles that the options of each row are; none where a task's options are classes."""
    texts = published.texts("options")
    parsed = {text: tuple(options.values()) for text, options in published.lettered.items()}
    of_task: dict[str, dict[str, None]] = {}
    for task, text in zip(published.tasks, texts, strict=True):
        of_task.setdefault(task, {}).update(dict.fromkeys(parsed[text]))
    titles = _plain_titles(one for values in parsed.values() for one in values)
    return [
        tuple(titles[one] for one in parsed[text] if titles[one]) if len(of_task[task]) > _CLASS_OPTIONS else ()
        for task, text in zip(published.tasks, texts, strict=True)
    ]


def _plain_titles(values: Iterable[str]) -> Mapping[str, str]:
    made = {value: plain(value) for value in dict.fromkeys(values)}
    return {value: title if len(title) >= MIN_TITLE else "" for value, title in made.items()}
