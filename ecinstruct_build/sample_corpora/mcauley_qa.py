"""Amazon question/answer data: shoppers' questions as Python literals, with one answer each and with all answers."""

from pathlib import Path
from typing import Any

from ecinstruct_build.sample_corpora.amazonqa import asked_openly, asked_yes_no, preface
from ecinstruct_build.sample_corpora.draws import Dice
from ecinstruct_build.sample_corpora.ledger import Entry
from ecinstruct_build.sample_corpora.planting import break_line
from ecinstruct_build.sample_corpora.products import Product
from ecinstruct_build.sample_corpora.text_files import LineFile
from ecinstruct_build.sample_corpora.vocabulary import CATEGORIES
from ecinstruct_build.sample_corpora.world import World, shelf_products

SOURCE = "mcauley_qa"

_QUESTIONS = 3  # for each product that is asked about
_ASKED, _YES_NO, _UNDATED, _BROKEN = 0.5, 0.3, 0.1, 0.004
_KINDS = {True: "yes/no", False: "open-ended"}


def write(world: World, folder: Path) -> tuple[dict[str, int], list[Entry]]:
    """Write ``qa_<C>.json.gz`` and ``icdm/QA_<C>.json.gz``; returns lines by file name, and what was planted.

    The two forms ask about different products.
    """
    counts: dict[str, int] = {}
    entries: list[Entry] = []
    for category, name in enumerate(CATEGORIES):
        single, multiple = f"qa_{name}.json.gz", f"icdm/QA_{name}.json.gz"
        with LineFile(folder / single) as one, LineFile(folder / multiple) as all_answers:
            for shelf in range(world.shelves):
                dice = Dice(world.seed, "questions 2016", f"{category}/{shelf}")
                for product in shelf_products(world, category, shelf):
                    if not dice.chance(_ASKED):
                        continue
                    asked = _questions(product, dice)
                    if dice.chance(0.5):
                        records = [_single(product, question, dice) for question in asked]
                        entries += _write(one, single, records, dice)
                    else:
                        record = {"asin": product.asin, "questions": [_multiple(question) for question in asked]}
                        entries += _write(all_answers, multiple, [record], dice)
            counts |= {single: one.lines, multiple: all_answers.lines}
    return counts, entries


def _questions(product: Product, dice: Dice) -> list[dict[str, Any]]:
    """Return some questions on a product, no two of them of the same words."""
    asked: dict[str, dict[str, Any]] = {}
    for name in dice.sample(list(product.attributes), _QUESTIONS):
        yes_no = dice.chance(_YES_NO)
        text, answers = asked_yes_no(product, name, dice) if yes_no else asked_openly(product, name, dice)
        question = preface(product, dice) + text
        votes = [(dice.between(0, total), total) for total in (dice.between(0, 9) for _ in answers)]
        asked[question.casefold()] = {"kind": _KINDS[yes_no], "text": question, "answers": answers, "votes": votes}
    return list(asked.values())


def _single(product: Product, question: dict[str, Any], dice: Dice) -> dict[str, Any]:
    text, kind = question["answers"][0]
    record = {"questionType": question["kind"], "asin": product.asin, "answerTime": "Mar 9, 2014"}
    if not dice.chance(_UNDATED):
        record["unixTime"] = 1_394_352_000 + dice.below(9_000_000)
    record["question"] = question["text"]
    return record | ({"answerType": kind} if kind != "NA" else {}) | {"answer": text}


def _multiple(question: dict[str, Any]) -> dict[str, Any]:
    answers = []
    for (text, kind), votes in zip(question["answers"], question["votes"], strict=True):
        answer = {"answerText": text, "answererID": "A2OWNER", "answerTime": "May 2, 2015", "helpful": list(votes)}
        answers.append(answer | ({"answerType": kind, "answerScore": "0.9120"} if kind != "NA" else {}))
    asked = {"questionType": question["kind"], "askerID": "A1ASKER", "questionTime": "May 1, 2015"}
    return asked | {"questionText": question["text"], "answers": answers}


def _write(file: LineFile, name: str, records: list[dict[str, Any]], dice: Dice) -> list[Entry]:
    entries = []
    for record in records:
        line = repr(record).encode()
        if dice.chance(_BROKEN):
            reason = dice.pick(("truncated", "missing_id"))
            key = f"'asin': '{record['asin']}', ".encode()
            line = break_line(line, reason, number=b"", key=key, text=b"")
            entries.append(Entry("malformed_line", SOURCE, name, file.lines + 1, (record["asin"],), reason=reason))
        file.write([line])
    return entries
