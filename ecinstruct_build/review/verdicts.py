"""What a judge may say of a row."""

from dataclasses import dataclass

from ecinstruct_build.errors import UserError, did_you_mean


@dataclass(frozen=True)
class VerdictKind:
    """One of the verdicts.

    Attributes
    ----------
    name
        As stored and handed over.
    key
        The key that gives it.
    label, meaning
        For people: a word or two, and a sentence.
    defect
        Whether the row should not have been published.
    """

    name: str
    key: str
    label: str
    meaning: str
    defect: bool = True


GOOD = "good"
OTHER = "other"

VERDICTS = (
    VerdictKind(GOOD, "1", "good", "The instruction can be followed and the answer is right.", defect=False),
    VerdictKind("wrong_answer", "2", "wrong answer", "The answer is wrong, or another one is at least as right."),
    VerdictKind("unclear_input", "3", "unclear input", "The input is garbled, cut off, or too little to answer from."),
    VerdictKind("bad_instruction", "4", "bad instruction", "The instruction asks for something else or misleads."),
    VerdictKind("unsafe_or_private", "5", "unsafe or private", "It shows personal data, abuse or something harmful."),
    VerdictKind(OTHER, "6", "other", "Something else is wrong; a note says what."),
)
"""In the order in which they are shown; of several defects the first counts as the worst but for ``other``."""


def verdict(name: str) -> VerdictKind:
    """Return the verdict of a name.

    Raises
    ------
    UserError
        If there is none.
    """
    known = {one.name: one for one in VERDICTS}
    if name not in known:
        raise UserError(f"There is no verdict '{name}'.{did_you_mean(name, known)} Known: {', '.join(known)}.")
    return known[name]
