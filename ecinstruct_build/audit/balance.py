"""Balance: which labels there are, what always guessing one would score, at which letters right options stand."""

import math
from collections import Counter
from collections.abc import Sequence

from ecinstruct_build.audit.reading import Published
from ecinstruct_build.audit.result import ROLES, TRAIN, Balance
from ecinstruct_build.audit.rows import named_letters
from ecinstruct_build.audit.texts import normal

FEW_LABELS = 26
"""Different answers that a task has at most to have labels."""

_LEAST_EXPECTED = 5.0  # rows that a letter is expected to be right in; rarer letters are counted together
_OTHERS = 0.05  # share of rows with other options than most have, from which options differ from row to row
_ROWS_A_LABEL = 4  # rows for each different answer, at least, for answers to be labels

Letters = tuple[str, tuple[str, ...]]
"""The letter of the right (or best) option, and all letters of the row."""


def balances(published: Published) -> list[Balance]:
    """Return the balance of each task in each split, each different content counted once."""
    options, outputs = published.texts("options"), published.texts("output")
    parsed = published.lettered
    rows_of: dict[tuple[str, int], list[int]] = {}
    seen: set[tuple[str, int, str, str, str]] = set()
    for row, (task, role) in enumerate(zip(published.tasks, published.roles.tolist(), strict=True)):
        # Rows that differ in their setting only are one piece of evidence.
        content = (task, role, published.inputs[row], options[row], outputs[row])
        if content not in seen:
            seen.add(content)
            rows_of.setdefault((task, role), []).append(row)
    found = []
    for task in sorted({task for task, _ in rows_of}):
        mine = [row for (name, _), rows in sorted(rows_of.items()) if name == task for row in rows]
        right = {row: named_letters(outputs[row], parsed[options[row]]) for row in mine if options[row]}
        labels = _labels(mine, outputs, options, right, parsed)
        shuffled = _is_shuffled([options[row] for row in mine if options[row]])
        training = [labels[row] for row in rows_of.get((task, ROLES.index(TRAIN)), ()) if row in labels]
        majority = _ranked(training)[0][0] if training else ""
        for role, name in enumerate(ROLES):
            rows = rows_of.get((task, role), [])
            if rows:
                letters = [(right[row][0], tuple(parsed[options[row]])) for row in rows if shuffled and right.get(row)]
                mine_labels = [labels[row] for row in rows if row in labels]
                found.append(_balance((task, name, len(rows)), mine_labels, majority, letters))
    return found


def _is_shuffled(options: Sequence[str]) -> bool:
    """Say whether options differ from row to row, rather than being the same classes in the same order."""
    most = max(Counter(options).values(), default=0)
    return len(options) - most > _OTHERS * len(options)


def _balance(place: tuple[str, str, int], labels: Sequence[str], majority: str, letters: Sequence[Letters]) -> Balance:
    task, role, rows = place
    right = sum(label == majority for label in labels)
    return Balance(
        task=task,
        role=role,
        rows=rows,
        labels=tuple((label, round(count / len(labels), 6)) for label, count in _ranked(labels)),
        majority=majority,
        majority_accuracy=round(right / len(labels), 6) if labels and majority else None,
        letters=tuple(sorted(Counter(letter for letter, _ in letters).items())),
        position_p=_position_p(letters),
    )


def _labels(
    rows: Sequence[int],
    outputs: Sequence[str],
    options: Sequence[str],
    right: dict[int, list[str]],
    parsed: dict[str, dict[str, str]],
) -> dict[int, str]:
    """Return the label of each row of a task, or nothing if its answers are not of a few kinds."""
    labels = {}
    for row in rows:
        letters = right.get(row, [])
        # A letter says little where options are in another order in each row: the option itself is the label.
        label = normal(parsed[options[row]][letters[0]] if len(letters) == 1 else outputs[row])
        if label:
            labels[row] = label
    different = len(set(labels.values()))
    few = different <= min(FEW_LABELS, max(2, len(rows) // _ROWS_A_LABEL))
    ranked = any(len(letters) > 1 for letters in right.values())
    return labels if few and not ranked else {}


def _ranked(labels: Sequence[str]) -> list[tuple[str, int]]:
    return sorted(Counter(labels).items(), key=lambda item: (-item[1], item[0]))


def _position_p(letters: Sequence[Letters]) -> float | None:
    """Return the probability of letters so uneven, if each option of a row were as likely to be right as another.

    None if there are too few rows to tell.
    """
    observed = Counter(letter for letter, _ in letters)
    expected: dict[str, float] = {}
    for shape, count in sorted(Counter(shape for _, shape in letters).items()):
        for letter in shape:
            expected[letter] = expected.get(letter, 0.0) + count / len(shape)
    cells = [(float(observed[letter]), amount) for letter, amount in sorted(expected.items())]
    common = [cell for cell in cells if cell[1] >= _LEAST_EXPECTED]
    rare = [cell for cell in cells if cell[1] < _LEAST_EXPECTED]
    if rare:
        common.append((sum(seen for seen, _ in rare), sum(amount for _, amount in rare)))
    if len(common) < 2:
        return None
    statistic = sum((seen - amount) ** 2 / amount for seen, amount in common)
    return float(f"{chi_square_tail(statistic, len(common) - 1):.6g}")


def chi_square_tail(statistic: float, degrees: int) -> float:
    """Return the probability that a chi-square variable of so many degrees of freedom is larger than a statistic.

    The finite sum that whole degrees of freedom have: SciPy's import takes longer than the rest of a small audit.
    """
    half, odd = statistic / 2, degrees % 2
    if half <= 0:
        return 1.0
    # exp(-half) * half**k / gamma(k + 1), for k = 0, 1, ... or k = 1/2, 3/2, ... below degrees / 2
    orders = (order + odd / 2 for order in range(degrees // 2))
    terms = [math.exp(order * math.log(half) - half - math.lgamma(order + 1)) for order in orders]
    return math.fsum([*terms, math.erfc(math.sqrt(half)) * odd])
