"""AmazonQA: shoppers' questions with review snippets and answers, in three files.

An answerable question asks about an attribute that a snippet states; one that is not asks for something that the
snippets leave open.
"""

from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from ecinstruct_build.sample_corpora import planting
from ecinstruct_build.sample_corpora.draws import Dice
from ecinstruct_build.sample_corpora.ledger import REASONS, Entry, Kind
from ecinstruct_build.sample_corpora.products import Product
from ecinstruct_build.sample_corpora.prose import DRAWS, Speaker, people
from ecinstruct_build.sample_corpora.text_files import LineFile
from ecinstruct_build.sample_corpora.vocabulary import CATEGORIES, attributes, words
from ecinstruct_build.sample_corpora.world import World, shelf_products

SOURCE = "amazonqa"
SPLITS = ("train", "val", "test")

_QUESTIONS = 3.2  # for each product
_ANSWERABLE = 0.62
_YES_NO = 0.36
# A question's draw falls below the edge of the defect that is planted in it, or of none.
_EDGES: tuple[tuple[Kind, float], ...] = (
    ("malformed_line", 0.003),
    ("foreign_language", 0.043),
    ("privacy", 0.083),
    ("html", 0.123),
)
_Answers = list[tuple[str, str]]  # text and type of each


def write(world: World, folder: Path) -> tuple[dict[str, int], list[Entry]]:
    """Write ``{train,val,test}-qar.jsonl``; returns lines by file name, and what was planted."""
    names = [f"{split}-qar.jsonl" for split in SPLITS]
    entries: list[Entry] = []
    asked = 0
    with ExitStack() as stack:
        files = [stack.enter_context(LineFile(folder / name)) for name in names]
        for category in range(len(CATEGORIES)):
            for shelf in range(world.shelves):
                dice = Dice(world.seed, "questions", f"{category}/{shelf}")
                for product in shelf_products(world, category, shelf):
                    speaker = Speaker(product)
                    for _ in range(int(_QUESTIONS) + dice.chance(_QUESTIONS % 1)):
                        number = (0, 0, 0, 0, 0, 0, 0, 0, 1, 2)[dice.below(10)]
                        record = _question(product, speaker, asked, dice)
                        asked += 1
                        line, entry = _maybe_spoiled(record, dice, names[number], files[number].lines + 1)
                        files[number].write([line])
                        entries += entry
        return {name: file.lines for name, file in zip(names, files, strict=True)}, entries


def _question(product: Product, speaker: Speaker, number: int, dice: Dice) -> dict[str, Any]:
    yes_no, answerable = dice.chance(_YES_NO), dice.chance(_ANSWERABLE)
    name = dice.pick(list(product.attributes))
    value = product.attributes[name]
    snippets = _snippets(speaker, value, dice)
    if answerable:
        told = dice.pick(attributes()[name]["fact"]).format(value=value)
        around, _ = speaker.write(dice.between(3, 5), dice.units(DRAWS))
        snippets.insert(dice.below(len(snippets) + 1), dice.pick((f"{told} {around}", f"{around} {told}")))
    if answerable or dice.chance(0.5):
        asked, answers = _asked(product, name, dice) if yes_no else _asked_openly(product, name, dice)
    else:
        asked, answers = _asked_vaguely(dice, yes_no=yes_no)
    return {
        "asin": product.asin,
        "category": product.category,
        "questionText": _preface(product, dice) + asked,
        "questionType": "yesno" if yes_no else "descriptive",
        "review_snippets": snippets,
        "answers": [{"answerText": text, "answerType": kind, "helpful": _votes(dice)} for text, kind in answers],
        "is_answerable": int(answerable),
        "qid": number,
    }


def _preface(product: Product, dice: Dice) -> str:
    """Return what a shopper says before the question, often nothing."""
    if dice.chance(0.3):
        return ""
    person = dice.pick(people())
    slots = {
        "type": product.kind.noun,
        "brand": product.brand,
        "model": product.model,
        "use": dice.pick(product.uses),
        "person": person,
        "Person": person[0].upper() + person[1:],
    }
    return dice.pick(_bank()["preface"]).format_map(slots)


def _snippets(speaker: Speaker, value: str, dice: Dice) -> list[str]:
    """Return pieces of reviews that do not give ``value`` away."""
    texts = [speaker.write(dice.between(1, 5), dice.units(DRAWS))[0] for _ in range(dice.between(3, 8))]
    return [text for text in dict.fromkeys(texts) if value.lower() not in text.lower()]


def _asked_openly(product: Product, name: str, dice: Dice) -> tuple[str, _Answers]:
    phrases, bank, value = attributes()[name], _bank(), product.attributes[name]
    told = [template.format(value=value) for template in phrases["fact"]]
    said = [dice.pick(bank["plain"]).format(value=value), *dice.sample(told, len(told))]
    if dice.chance(0.3):
        said.append(dice.pick(bank["unsure"]))
    return dice.pick(phrases["question"]), [(text, "NA") for text in said[: dice.between(1, 4)]]


def _asked(product: Product, name: str, dice: Dice) -> tuple[str, _Answers]:
    """Return a yes/no question about the true value or another one, with answers that agree with the truth."""
    phrases, bank, value = attributes()[name], _bank(), product.attributes[name]
    others = [other for other in product.kind.attributes[name] if other != value]
    supposed = value if not others or dice.chance(0.6) else dice.pick(others)
    lead, kind = (bank["lead"], "Y") if supposed == value else (bank["deny"], "N")
    fact = dice.pick(phrases["fact"]).format(value=value)
    said = [f"{dice.pick(lead)}. {fact}", f"{dice.pick(lead)}.", f"{dice.pick(lead)}, going by mine."]
    answers = [(text, kind) for text in said[: dice.between(1, 3)]]
    if dice.chance(0.2):
        answers.append((dice.pick(bank["unsure"]), "?"))
    return dice.pick(phrases["yesno"]).format(value=supposed), answers


def _asked_vaguely(dice: Dice, *, yes_no: bool) -> tuple[str, _Answers]:
    bank = _bank()
    said = dice.sample(bank["unsure"], dice.between(1, 3))
    return dice.pick(bank["vague_yesno" if yes_no else "vague"]), [(text, "?" if yes_no else "NA") for text in said]


def _votes(dice: Dice) -> list[int]:
    total = max(0, dice.between(-3, 12))
    return [dice.between(0, total), total]


def _maybe_spoiled(record: dict[str, Any], dice: Dice, file: str, line: int) -> tuple[bytes, list[Entry]]:
    ids = (str(record["qid"]), record["asin"])
    draw = dice.unit()
    kind = next((kind for kind, edge in _EDGES if draw < edge), None)
    if kind is None:
        return msgspec.json.encode(record), []
    if kind == "malformed_line":
        reason = dice.pick(REASONS)
        broken = planting.break_line(
            msgspec.json.encode(record),
            reason,
            number=f'"is_answerable":{record["is_answerable"]}'.encode(),
            key=f'"asin":"{record["asin"]}",'.encode(),
            text=b'"questionText":"',
        )
        return broken, [Entry(kind, SOURCE, file, line, ids, reason=reason)]
    field = "questionText"
    if kind == "foreign_language":
        note, record["questionText"] = planting.foreign_question(dice)
    elif kind == "privacy":
        field = "answers[0].answerText"
        answer = record["answers"][0]
        answer["answerText"], note = planting.add_contact(answer["answerText"], dice)
    else:
        record["questionText"], note = planting.add_markup(record["questionText"], dice)
    return msgspec.json.encode(record), [Entry(kind, SOURCE, file, line, ids, note=note, field=field)]


@cache
def _bank() -> dict[str, list[str]]:
    bank: dict[str, list[str]] = words("products")["qa"]
    return bank
