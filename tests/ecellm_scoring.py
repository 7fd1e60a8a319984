"""The rules by which eCeLLM's evaluation script scores predictions, written anew from what it does.

Yes/no tasks: the prediction, in lower case and without white space around it, is ``yes`` or ``no`` and equals the
label. Recommendation: exactly one letter A to T. Classes: the first letter counts. Extraction: a JSON list; a hit
is an object that agrees with a label in attribute, value and source. Ranking: NDCG of the letters between commas,
with gains of 1, 0.1, 0.01 and 0 for E, S, C and I. Generation is scored by likeness to the label, which is
greatest for the label itself.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

YES_NO = {"Answerability_Prediction", "Product_Substitute_Identification", "Product_Matching"}
CLASSES = {"Multiclass_Product_Classification", "Sentiment_Analysis", "Product_Relation_Prediction"}
GAINS = {"E": 1.0, "S": 0.1, "C": 0.01, "I": 0.0}


def score(task: str, samples: Sequence[Mapping[str, Any]], predictions: Sequence[str]) -> tuple[float, int]:
    """Return the mean score, 1 at best, and how many predictions could not be read.

    Parameters
    ----------
    task
        The published ``task`` value.
    samples
        Published rows; ``output`` and, for ranking, ``option_grades`` are used.
    predictions
        What a model says to each of them.
    """
    if task == "Attribute_Value_Extraction":
        return _extraction([sample["output"] for sample in samples], predictions)
    scores = [_score_one(task, sample, prediction) for sample, prediction in zip(samples, predictions, strict=True)]
    readable = [each for each in scores if each is not None]
    return sum(readable) / max(1, len(readable)), len(scores) - len(readable)


def _score_one(task: str, sample: Mapping[str, Any], prediction: str) -> float | None:
    label = sample["output"]
    if task in YES_NO:
        word = prediction.lower().strip()
        return float(word == label) if word in ("yes", "no") else None
    if task in CLASSES:
        letter = prediction.strip()[:1]
        return float(letter == label[0]) if letter and letter in "ABCDE" else None
    if task == "Sequential_Recommendation":
        letter = prediction.strip()
        return float(letter == label) if len(letter) == 1 and "A" <= letter <= "T" else None
    if task == "Query_Product_Ranking":
        return _ndcg(prediction, sample["option_grades"])
    if task == "Answer_Generation":
        return float(prediction == label) if label.strip() else None
    raise ValueError(f"no rule for {task}")


def _ndcg(prediction: str, grades: Sequence[str]) -> float | None:
    places = [ord(rank[0]) - ord("A") if rank else -1 for rank in prediction.strip().split(",")]
    if not all(0 <= place < len(grades) for place in places):
        return None
    gains = [GAINS[grades[place]] for place in places]
    return _dcg(gains) / (_dcg(sorted(gains, reverse=True)) + 1e-6)


def _dcg(gains: Sequence[float]) -> float:
    return sum((2**gain - 1) / math.log2(place + 2) for place, gain in enumerate(gains))


def _extraction(labels: Sequence[str], predictions: Sequence[str]) -> tuple[float, int]:
    """Return recall, the figure that the script reports without fault, and the unreadable predictions."""
    hits = wanted = unreadable = 0
    for label, prediction in zip(labels, predictions, strict=True):
        try:
            said = json.loads(prediction)
        except json.JSONDecodeError:
            said = []
            unreadable += 1
        rows = json.loads(label)
        wanted += len(rows)
        hits += sum(
            all(row[key] == each[key] for key in ("attribute", "value", "source")) for row in rows for each in said
        )
    return hits / wanted, unreadable
