"""Faults of single rows: nulls, broken JSON, markup, foreign text, answers that are no option."""

import html.entities
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
import pyarrow.compute as pc

from ecinstruct_build.audit.language import expected_language, foreign_language
from ecinstruct_build.audit.overlaps import Recoveries
from ecinstruct_build.audit.reading import LISTS, Published
from ecinstruct_build.audit.result import MAX_LISTED, ROLES, TRAIN, Fault
from ecinstruct_build.audit.texts import normal, shortened

MOSTLY = 0.5
"""Share of a task's texts that are JSON from which all should be."""

FEW_LABELS = 10
"""Different outputs that training has at most, in a task without options, for them to be labels."""

ROWS_A_LABEL = 20
"""Rows for each of them that training has, at least."""

LABEL_SHARE = 0.01
"""Share of training from which a label should be held out too."""

_ELEMENTS = (
    "a|abbr|article|aside|b|big|blockquote|body|br|button|caption|center|cite|code|dd|del|div|dl|dt|em|font|footer|form|"
    "h[1-6]|head|header|hr|html|i|iframe|img|input|ins|label|li|link|main|mark|meta|nav|ol|option|p|pre|q|s|script|"
    "section|select|small|span|strike|strong|style|sub|summary|sup|svg|table|tbody|td|textarea|tfoot|th|thead|title|tr|"
    "tt|u|ul|video|wbr"
)
_TAG = re.compile(rf"</?(?:{_ELEMENTS})(?:\s[^<>]{{0,300}})?/?>|<!--", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_NAMES = frozenset(name for name in html.entities.html5 if name.endswith(";"))
_NO_VALUE = re.compile(r"\s{0,8}(?:nan|NaN|-?inf|null|NULL|NoneType|NaT|<NA>)\s{0,8}")
_PRINTED = re.compile(r"\s{0,8}(?:[\[{]\s?){1,3}'|\s{0,8}(?:array|dict_keys|dict_values|OrderedDict|DataFrame)\(")
_LETTERS = re.compile(r"[A-Z]{1,2}(?:\s?[,>]\s?[A-Z]{1,2})*")
_SEPARATOR = re.compile(r"\s?[,>]\s?")
_TRAINING = ROLES.index(TRAIN)

Found = Iterable[tuple[int, str]]


def row_faults(published: Published, recovered: Recoveries) -> list[Fault]:
    """Return the faults of single rows by kind, task and split, zeros included."""
    texts = {name: published.texts(name) for name in ("instruction", "input", "options", "output", "few_shot_example")}
    checks: list[tuple[str, str, Callable[[], Found]]] = [
        ("misfiled", "misfiled", partial(_misfiled, published)),
        ("null", "nulls", partial(_nulls, published)),
        ("empty", "empties", partial(_empties, published, texts)),
        ("invalid JSON", "invalid_json", partial(_invalid_json, published, texts)),
        ("Python literal", "python_literals", partial(_python_literals, texts)),
        ("HTML", "html_share", partial(_markup, texts)),
        ("foreign language", "foreign_share", partial(_foreign, published, recovered)),
        ("answer not among options", "answer_not_among_options", partial(_not_an_option, published, texts)),
        ("unknown label", "unknown_labels", partial(_unknown_labels, published, texts)),
        ("label of training only", "training_labels", partial(_training_labels, published, texts)),
        ("duplicate id", "duplicate_ids", partial(_repeated_ids, published)),
    ]
    checked = Counter(zip(published.tasks, published.roles.tolist(), strict=True))
    return [fault for kind, limit, check in checks for fault in _tally((kind, limit), check(), published, checked)]


def _tally(
    names: tuple[str, str], found: Found, published: Published, checked: Counter[tuple[str, int]]
) -> list[Fault]:
    kind, limit = names
    by_place: dict[tuple[str, int], list[tuple[str, str]]] = {place: [] for place in sorted(checked)}
    for row, detail in found:
        by_place[published.tasks[row], int(published.roles[row])].append((published.ids[row], detail))
    return [
        Fault(
            kind=kind,
            task=task,
            role=ROLES[role] if role >= 0 else "",
            limit=limit,
            rows=len(rows),
            checked=checked[task, role],
            listed=tuple(rows[:MAX_LISTED]),
        )
        for (task, role), rows in by_place.items()
    ]


def _misfiled(published: Published) -> Found:
    stated = published.texts("split")
    return [(row, f"its column split says {stated[row]}") for row in np.flatnonzero(published.misfiled).tolist()]


def _nulls(published: Published) -> Found:
    columns: dict[int, list[str]] = {}
    for name in published.table.column_names:
        column = published.table[name]
        empty = pc.is_null(column).to_numpy()
        if name in LISTS and pc.list_flatten(column).null_count:
            inside = [bool(values) and None in values for values in column.to_pylist()]
            empty = empty | np.array(inside, bool)
        elif name == "few_shot_example":
            continue  # the original has none outside its 1-shot settings
        for row in np.flatnonzero(empty).tolist():
            columns.setdefault(row, []).append(name)
    return [(row, f"null in {', '.join(columns[row])}") for row in sorted(columns)]


def _empties(published: Published, texts: dict[str, list[str]]) -> Found:
    null = {name: pc.is_null(published.table[name]).to_pylist() for name in ("instruction", "input", "output")}
    for row in range(len(published.ids)):
        names = [name for name, missing in null.items() if not missing[row] and not texts[name][row].strip()]
        if names:
            yield row, f"nothing in {', '.join(names)}"


def _invalid_json(published: Published, texts: dict[str, list[str]]) -> Found:
    broken: dict[int, list[str]] = {}
    for name in ("input", "output"):
        faults = {text: _json_fault(text) for text in dict.fromkeys(texts[name])}
        sound, filled = Counter[str](), Counter[str]()
        for task, text in zip(published.tasks, texts[name], strict=True):
            filled[task] += bool(text.strip())
            sound[task] += bool(text.strip()) and not faults[text]
        for row, (task, text) in enumerate(zip(published.tasks, texts[name], strict=True)):
            if text.strip() and faults[text] and sound[task] > MOSTLY * filled[task]:
                broken.setdefault(row, []).append(f"{name}: {faults[text]}")
    return [(row, "; ".join(broken[row])) for row in sorted(broken)]


def _json_fault(text: str) -> str:
    """Return why a text is no JSON object or list, or ""."""
    if text.lstrip()[:1] not in ("{", "["):
        return "neither object nor list"
    try:
        _STRICT.decode(text)
    except (ValueError, RecursionError) as error:
        return shortened(str(error), 80)
    return ""


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


_STRICT = json.JSONDecoder(parse_constant=_refuse)


def _python_literals(texts: dict[str, list[str]]) -> Found:
    made: dict[str, bool] = {}
    for row in range(len(texts["output"])):
        for name in ("input", "options", "output"):
            text = texts[name][row]
            if text not in made:
                made[text] = _is_python(text)
            if made[text]:
                yield row, f"{name}: {shortened(text, 80)}"
                break


def _is_python(text: str) -> bool:
    """Say whether a text is, or begins with, what Python prints of a value that is not text."""
    closed = text.rstrip()[-1:] in ("]", "}", ")")
    return bool(_NO_VALUE.fullmatch(text) or (closed and _PRINTED.match(text)))


def _markup(texts: dict[str, list[str]]) -> Found:
    made: dict[str, str] = {}
    for row in range(len(texts["input"])):
        for name, values in texts.items():
            text = values[row]
            if text not in made:
                made[text] = _first_markup(text)
            if made[text]:
                yield row, f"{name}: {made[text]}"
                break


def _first_markup(text: str) -> str:
    tag = _TAG.search(text) if "<" in text else None
    if tag:
        return tag[0][:60]
    if "&" in text:
        for entity in _ENTITY.finditer(text):
            if entity[0][1] == "#" or entity[0][1:] in _NAMES:
                return entity[0]
    return ""


def _foreign(published: Published, recovered: Recoveries) -> Found:
    made: dict[tuple[str, str], str] = {}
    for row, (prose, locale) in enumerate(zip(recovered.prose, published.texts("locale"), strict=True)):
        expected = expected_language(locale)
        if expected is None:
            continue
        if (prose, expected) not in made:
            made[prose, expected] = foreign_language(prose, expected)
        if made[prose, expected]:
            yield row, f"{made[prose, expected]}, where {expected} is expected: {shortened(prose, 80)}"


def _not_an_option(published: Published, texts: dict[str, list[str]]) -> Found:
    answered, ranked = Counter[str](), Counter[str]()
    partial_rows: dict[str, list[int]] = {}  # no more than their numbers: one of several options is a usual answer
    for row, (options, output) in enumerate(zip(texts["options"], texts["output"], strict=True)):
        if not options.strip() or not output.strip():
            continue
        lettered, task = published.lettered[options], published.tasks[row]
        named = named_letters(output, lettered)
        if not named:
            yield row, f"{shortened(output, 60)} of {', '.join(lettered) or 'unlettered options'}"
            continue
        answered[task] += 1
        ranked[task] += len(named) == len(lettered) > 1
        if len(named) < len(lettered):
            partial_rows.setdefault(task, []).append(row)
    for task, rows in partial_rows.items():
        for row in rows if ranked[task] > MOSTLY * answered[task] else ():
            lettered = published.lettered[texts["options"][row]]
            yield row, f"{shortened(texts['output'][row], 60)}, where most rank all of {', '.join(lettered)}"


def named_letters(output: str, options: dict[str, str]) -> list[str]:
    """Return the letters of the options that an answer names, each once; none if it names anything else.

    An answer is a letter, letters with commas between, or an option's text with or without its letter.
    """
    text = output.strip()
    if _LETTERS.fullmatch(text):
        letters = _SEPARATOR.split(text)
        if len(set(letters)) == len(letters) and all(letter in options for letter in letters):
            return letters
    said = normal(text)
    for letter, option in options.items():
        if said in (normal(option), normal(f"{letter}: {option}")):
            return [letter]
    return []


def _labels(published: Published, texts: dict[str, list[str]]) -> dict[str, dict[int, str]]:
    """Return the labels by row, of each task without options whose training has labels."""
    made = {text: normal(text) for text in dict.fromkeys(texts["output"])}
    by_task: dict[str, dict[int, str]] = {}
    for row, (task, options, output) in enumerate(zip(published.tasks, texts["options"], texts["output"], strict=True)):
        if published.roles[row] >= 0 and not options.strip() and made[output]:
            by_task.setdefault(task, {})[row] = made[output]
    trained = {task: _of_training(published, labels) for task, labels in by_task.items()}
    return {
        task: labels
        for task, labels in by_task.items()
        if 0 < len(trained[task]) <= FEW_LABELS and trained[task].total() >= ROWS_A_LABEL * len(trained[task])
    }


def _of_training(published: Published, labels: dict[int, str]) -> Counter[str]:
    return Counter(label for row, label in labels.items() if published.roles[row] == _TRAINING)


def _unknown_labels(published: Published, texts: dict[str, list[str]]) -> Found:
    for labels in _labels(published, texts).values():
        known = _of_training(published, labels)
        said = ", ".join(shortened(label, 40) for label, _ in known.most_common(3))
        for row, label in labels.items():
            if label not in known:
                yield row, f"{shortened(label, 80)}, where training has {said}"


def _training_labels(published: Published, texts: dict[str, list[str]]) -> Found:
    for labels in _labels(published, texts).values():
        trained = _of_training(published, labels)
        held_out = {label for row, label in labels.items() if published.roles[row] != _TRAINING}
        for row, label in labels.items():
            if held_out and label not in held_out and trained[label] > LABEL_SHARE * trained.total():
                yield row, shortened(label, 80)


def _repeated_ids(published: Published) -> Found:
    if "example_id" not in published.table.column_names:
        return []
    keys = list(
        zip(
            published.roles.tolist(),
            published.tasks,
            published.texts("setting"),
            published.texts("example_id"),
            strict=True,
        )
    )
    counts = Counter(keys)
    return [(row, f"{counts[key]} rows") for row, key in enumerate(keys) if key[3] and counts[key] > 1]
