"""Texts for the tests of shared passages and of test sets."""

import random

from ecinstruct_build.example import Example

PROSE = (
    "I have had the folding bench in the hallway for a year now and apart from one loose screw on the left hinge "
    "it has held up to boots, wet coats and two climbing children without a single complaint from any of them."
)


def review(identity: str, text: str, task: str = "reviews") -> Example:
    """Return an example of one text."""
    return Example(task, "corpus", identity, "ind", "us", (), {"review": text}, "good")


def prose(seed: int, count: int) -> str:
    """Return so many words, drawn from thousands."""
    order = random.Random(seed)
    return " ".join(f"word{order.randrange(5000)}" for _ in range(count))
