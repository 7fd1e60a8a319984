"""A report made up for the tests of its page: one task, small figures, and a review."""

from typing import Any

from ecinstruct_build.reporting.page.contents import BINS
from ecinstruct_build.reporting.page.data import (
    Diversity,
    DuplicatePair,
    Duplicates,
    Instruction,
    Labels,
    Leakage,
    LeakageRow,
    Lengths,
    Locale,
    Positions,
    ReportData,
    SourceFlow,
    StageTime,
    TaskFlow,
)
from ecinstruct_build.reporting.page.reviewed import review_of
from ecinstruct_build.shortfall import SourceShare

TASK = "kettle_judging"


def report_data(word: str = "kettle", **changes: Any) -> ReportData:
    """Return a report in which every text that comes from data holds ``word``; ``changes`` replace parts."""
    splits = {"train": 4, "validation": 2, "test": 2, "test_ood": 0}
    texts = tuple(int(place == 12) * 8 for place in range(len(BINS)))
    parts: dict[str, Any] = {
        "name": word,
        "title": f"{word} title",
        "description": f"{word} description",
        "layout": "huggingface",
        "engine": "duckdb",
        "seeds": {"draw": 0, "split": 7},
        "versions": {"python": "3.11"},
        "places": ("train", "validation", "test", "test_unseen_instructions"),
        "splits": ("train", "validation", "test"),
        "sources": (SourceFlow(word, 1, 10, 30, 26, 3, 1, {f"{word} reason": 3}, 14, 8, {TASK: 10}),),
        "tasks": (
            TaskFlow(
                task=TASK,
                published_name="Kettle_Judging",
                steps=((f"{word} step", 26), ("drawn", 14)),
                drawn=14,
                rejected={f"check: {word}": 2},
                dropped={"over quota": 3, f"{word} straddles": 1},
                repaired={},
                flagged={},
                examples=splits,
                frozen=dict.fromkeys(splits, 0),
                wanted={**splits, "train": 5},
                samples={"train": 4, "validation": 2, "test": 2, "test_unseen_instructions": 2},
                sources={word: {"train": 4, "validation": 2, "test": 2, "test_unseen_instructions": 2}},
                unmatched=(f"ood: no row has the category '{word}'.",),
                shares=(
                    SourceShare(word, 0.3, 14, 0, splits, splits),
                    SourceShare(f"other {word}", 0.7, 0, 0, dict.fromkeys(splits, 0), splits),
                ),
                retention={"examples": 10, "kept": 9, "hashing": 4},
                retention_by_products={"1": {"examples": 10, "kept": 9, "hashing": 4}},
            ),
        ),
        "lengths": (Lengths(TASK, "input", 8, 16, 17, 18, texts),),
        "labels": (Labels(TASK, (f"{word} good", f"{word} bad"), {"train": (3, 1), "test": (1, 1)}),),
        "positions": (Positions(TASK, 8, (("A", 5, 4.0), ("B", 3, 4.0)), 0.48),),
        "diversity": (
            Diversity(
                TASK,
                (
                    Instruction(f"seed/{word}", f"Judge the {word}.", held_out=False, rows={"train": 4}),
                    Instruction("held/default", "Unseen.", held_out=True, rows={"test": 2}),
                ),
                0.5,
                0.75,
                0.25,
                8,
                7,
                2,
            ),
        ),
        "duplicates": Duplicates(
            {f"{word} duplicate": {TASK: 2}},
            (
                DuplicatePair(
                    TASK, f"{word} duplicate", 0.875, f"{TASK}:1", f"{word} one", f"{TASK}:2", None, word, "no"
                ),
            ),
        ),
        "locales": (Locale(word, 14, 8, {f"{word}, where English is expected": 1}),),
        "leakage": Leakage(
            passed=False,
            exceeded=(f"rows share a {word}",),
            pairs=(("train", "test"),),
            rows=(LeakageRow(word, f"{word} ids", limited=True, cells=((1, 2, True),)),),
        ),
        "review": review_of(review_json(word)),
        "planted": (
            {
                "kind": f"{word}_defect",
                "form": "",
                "planted": 5,
                "reachable": 4,
                "found": 3,
                "missed": [f"{word}:1"],
                "findings": 4,
                "right": 3,
                "natural": "",
                "recall": 0.75,
                "precision": 0.75,
            },
        ),
        "stages": (StageTime("draw", 1, 2, 1.5, 3.25),),
        "peak_memory_bytes": 2**30,
    }
    return ReportData(**(parts | changes))


def review_json(word: str = "kettle") -> dict[str, Any]:
    """Return a review in the form that its report writes: one task passed, one failed, one not begun."""
    tasks = [
        _figures("passes", judged=100, defects=0, wilson=[0.0, 0.037], passed=True),
        _figures("fails", judged=100, defects=9, wilson=[0.048, 0.162], passed=False),
        _figures("waits", judged=0, defects=0, wilson=[0.0, 1.0], passed=None),
    ]
    said = [{"annotator": "Ada", "verdict": "good", "note": word}, {"annotator": "Ben", "verdict": word, "note": ""}]
    one = {"number": 3, "task": "fails", "example_id": f"fails:{word}", "row": "0", "defective": True, "tied": True}
    return {
        "sample_id": "0",
        "dataset": word,
        "settings": {"max_defect_rate": 0.03, "confidence": 0.95},
        "annotators": 2,
        "judgements": 240,
        "finished": False,
        "passed": False,
        "overall": _figures("", judged=200, defects=9, wilson=[0.024, 0.083], passed=False),
        "tasks": tasks,
        "disagreements": [one | {"said": said}],
    }


def _figures(task: str, *, judged: int, defects: int, wilson: list[float], passed: bool | None) -> dict[str, Any]:
    agreement = {"doubles": 20, "share": 0.9, "kappa": 0.61, "alpha": None}
    return {
        "task": task,
        "population": 1000,
        "items": 100,
        "judged": judged,
        "defects": defects,
        "by_verdict": {"good": judged - defects, "wrong_answer": defects},
        "rate": defects / judged if judged else None,
        "wilson": wilson,
        "exact": wilson,
        "upper_bound": wilson[1],
        "promise": True,
        "finished": passed is not None,
        "passed": passed,
        "agreement": agreement,
    }
