"""Balance: which labels there are, what always guessing one would score, at which letters right options stand."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from ecinstruct_build.audit.reading import Published
from ecinstruct_build.audit.result import ROLES, TRAIN, Balance
from ecinstruct_build.audit.rows import named_letters
from ecinstruct_build.audit.texts import normal

FEW_LABELS = 26
"""Different answers that a task has at most to have labels."""

_LEAST_EXPECTED = (
    5.0  # rows that a letter is expected to be right in; rarer ones are counted together, and each exactly
)
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
        position_p=position_p(letters),
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


def position_p(letters: Sequence[Letters]) -> float | None:
    """Return the probability of letters so uneven, if each option of a row were as likely to be right as another.

    Letters that are expected often enough are compared by chi-square; of the others, the most surprising one counts,
    by its exact probability times their number. Where both are there, the smaller probability counts, twice.

    Parameters
    ----------
    letters
        For each row the letter of its right option, and all its letters.

    Returns
    -------
    float or None
        None if no row has two options.
    """
    observed = Counter(letter for letter, _ in letters)
    chances: dict[str, list[float]] = {}
    for shape, count in sorted(Counter(shape for _, shape in letters).items()):
        for letter in shape:
            chances.setdefault(letter, []).extend([1 / len(shape)] * count)
    expected = {letter: math.fsum(each) for letter, each in sorted(chances.items())}
    rare = [letter for letter, amount in expected.items() if amount < _LEAST_EXPECTED]
    cells = _cells([(observed[letter], amount, letter in rare) for letter, amount in expected.items()])
    found = []
    if len(cells) > 1:
        statistic = sum((seen - amount) ** 2 / amount for seen, amount in cells)
        found.append(chi_square_tail(statistic, len(cells) - 1))
    if len(rare) > 1 or (rare and found):
        often = [letter for letter in rare if observed[letter] > expected[letter]]
        tails = [at_least(observed[letter], chances[letter]) for letter in often]
        found.append(len(rare) * min(tails, default=1.0))
    return float(f"{min(1.0, len(found) * min(found)):.6g}") if found else None


def _cells(letters: Sequence[tuple[int, float, bool]]) -> list[tuple[float, float]]:
    """Return what was seen and expected of each letter (seen, expected, rare), with rare ones counted together."""
    cells = sorted(((float(seen), amount) for seen, amount, rare in letters if not rare), key=lambda cell: -cell[1])
    others = (float(sum(seen for seen, _, rare in letters if rare)), sum(amount for _, amount, rare in letters if rare))
    if cells and 0 < others[1] < _LEAST_EXPECTED:
        least = cells.pop()
        return [*cells, (least[0] + others[0], least[1] + others[1])]
    return [*cells, others] if others[1] else cells


def at_least(number: int, chances: Sequence[float]) -> float:
    """Return the probability that at least so many of independent events happen, each with a chance of its own."""
    happening = np.zeros(len(chances) + 1)
    happening[0] = 1.0
    for chance in chances:
        happening[1:] = happening[1:] * (1 - chance) + happening[:-1] * chance
        happening[0] *= 1 - chance
    return math.fsum(happening[number:].tolist())


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
