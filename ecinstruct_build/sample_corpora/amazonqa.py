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
from ecinstruct_build.sample_corpora.shared_texts import shared_text
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
    ("mojibake", 0.138),
    ("invisible", 0.150),
    ("style_or_script", 0.158),
    ("boilerplate_answer", 0.190),
)
_ANSWER, _SNIPPET = "answers[0].answerText", "review_snippets[0]"
_MOST_SNIPPETS = 10
Answers = list[tuple[str, str]]  # text and type of each


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
                    speaker, quote = Speaker(product, is_particular=world.is_broad), shared_text(world, product)
                    for _ in range(int(_QUESTIONS) + dice.chance(_QUESTIONS % 1)):
                        number = (0, 0, 0, 0, 0, 0, 0, 0, 1, 2)[dice.below(10)]
                        record = _question(product, speaker, asked, dice, is_broad=world.is_broad)
                        asked += 1
                        line, entry = _maybe_spoiled(record, dice, names[number], files[number].lines + 1)
                        if quote and not entry and (quoted := _quoting(record, product, quote)):
                            line, quote = msgspec.json.encode(quoted), None
                            entry = [_quotation(record, names[number], files[number].lines + 1)]
                        files[number].write([line])
                        entries += entry
        return {name: file.lines for name, file in zip(names, files, strict=True)}, entries


def _question(product: Product, speaker: Speaker, number: int, dice: Dice, *, is_broad: bool) -> dict[str, Any]:
    yes_no, answerable = dice.chance(_YES_NO), dice.chance(_ANSWERABLE)
    name = dice.pick(list(product.attributes))
    value = product.attributes[name]
    snippets = _snippets(speaker, value, dice)
    if answerable:
        told = dice.pick(attributes()[name]["fact"]).format(value=value)
        around, _ = speaker.write(dice.between(3, 5), dice.units(DRAWS))
        snippets.insert(dice.below(len(snippets) + 1), dice.pick((f"{told} {around}", f"{around} {told}")))
    if answerable or dice.chance(0.5):
        asked, answers = asked_yes_no(product, name, dice) if yes_no else asked_openly(product, name, dice)
    else:
        asked, answers = _asked_vaguely(dice, yes_no=yes_no)
    return {
        "asin": product.asin,
        "category": product.category,
        "questionText": preface(product, dice, is_broad=is_broad) + asked,
        "questionType": "yesno" if yes_no else "descriptive",
        "review_snippets": snippets,
        "answers": [{"answerText": text, "answerType": kind, "helpful": _votes(dice)} for text, kind in answers],
        "is_answerable": int(answerable),
        "qid": number,
    }


def preface(product: Product, dice: Dice, *, is_broad: bool = False) -> str:
    """Return what a shopper says before the question: often nothing, but mostly the model in a broad world."""
    if dice.chance(0.05 if is_broad else 0.3):
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
    return dice.pick(_bank()["model_preface" if is_broad else "preface"]).format_map(slots)


def _snippets(speaker: Speaker, value: str, dice: Dice) -> list[str]:
    """Return pieces of reviews that do not give ``value`` away."""
    texts = [speaker.write(dice.between(1, 5), dice.units(DRAWS))[0] for _ in range(dice.between(3, 8))]
    return [text for text in dict.fromkeys(texts) if value.lower() not in text.lower()]


def asked_openly(product: Product, name: str, dice: Dice) -> tuple[str, Answers]:
    """Return an open question about an attribute, with answers that give its value."""
    phrases, bank, value = attributes()[name], _bank(), product.attributes[name]
    told = [template.format(value=value) for template in phrases["fact"]]
    said = [dice.pick(bank["plain"]).format(value=value), *dice.sample(told, len(told))]
    if dice.chance(0.3):
        said.append(dice.pick(bank["unsure"]))
    return dice.pick(phrases["question"]), [(text, "NA") for text in said[: dice.between(1, 4)]]


def asked_yes_no(product: Product, name: str, dice: Dice) -> tuple[str, Answers]:
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


def _asked_vaguely(dice: Dice, *, yes_no: bool) -> tuple[str, Answers]:
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
    field, note, form = _spoil(record, kind, dice)
    entry = [Entry(kind, SOURCE, file, line, ids, reason=form, note=note, field=field)] if field else []
    return msgspec.json.encode(record), entry


def _spoil(record: dict[str, Any], kind: Kind, dice: Dice) -> tuple[str, str, str | None]:
    """Plant a defect in a part of a record; returns the part ("" if none would do), the note and the form of it."""
    if kind == "boilerplate_answer":
        if record["questionType"] == "yesno" or not record["is_answerable"]:
            return "", "", None
        note = dice.pick(planting.defects()["boilerplate"])
        _set_part(record, _ANSWER, note)
        return _ANSWER, note, None
    field = "questionText"
    if kind == "style_or_script" and record["review_snippets"]:
        field = _SNIPPET
    elif kind in ("privacy", "mojibake", "invisible"):
        field = dice.pick((_ANSWER, field, _SNIPPET) if record["review_snippets"] else (_ANSWER, field))
    text, note, form = _spoiled(_part(record, field), kind, dice)
    _set_part(record, field, text)
    return field, note, form


def _spoiled(text: str, kind: Kind, dice: Dice) -> tuple[str, str, str | None]:
    """Return a text with a defect, the note of it, and the form of it if there are several."""
    if kind == "privacy":
        return planting.add_private(text, dice)
    if kind == "mojibake":
        return planting.garble(text, dice)
    if kind == "foreign_language":
        language, question = planting.foreign_question(dice)
        return question, language, None
    spoil = {"html": planting.add_markup, "invisible": planting.hide_characters, "style_or_script": planting.dump_code}
    return *spoil[kind](text, dice), None


def _part(record: dict[str, Any], field: str) -> str:
    if field == _ANSWER:
        return str(record["answers"][0]["answerText"])
    return str(record["review_snippets"][0] if field == _SNIPPET else record[field])


def _set_part(record: dict[str, Any], field: str, text: str) -> None:
    """Change a part. An answer becomes the most helpful one as well: the others are shown to nobody."""
    if field == _ANSWER:
        votes = 1 + max(answer["helpful"][1] for answer in record["answers"])
        record["answers"][0] |= {"answerText": text, "helpful": [votes, votes]}
    elif field == _SNIPPET:
        record["review_snippets"][0] = text
    else:
        record[field] = text


def _quoting(record: dict[str, Any], product: Product, quote: str) -> dict[str, Any] | None:
    """Return a record that quotes a review first, or None if that would answer what is not to be answered."""
    if len(record["review_snippets"]) >= _MOST_SNIPPETS or any(
        value.lower() in quote.lower() for value in product.attributes.values()
    ):
        return None
    return {**record, "review_snippets": [quote, *record["review_snippets"]]}


def _quotation(record: dict[str, Any], file: str, line: int) -> Entry:
    ids = (str(record["qid"]), record["asin"])
    return Entry("text_across_corpora", SOURCE, file, line, ids, field=_SNIPPET)


@cache
def _bank() -> dict[str, list[str]]:
    bank: dict[str, list[str]] = words("products")["qa"]
    return bank
