"""Made-up published datasets for the tests of the audit, clean or with leaks and faults planted row by row."""

import json
import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]

PLANTED = 200
"""How many of each kind."""

_STRINGS = (
    *("split", "task", "setting", "instruction", "input", "options", "output", "few_shot_example", "example_id"),
    *("template_id", "source", "domain", "category", "locale"),
)
SCHEMA = pa.schema(
    [*((name, pa.string()) for name in _STRINGS)]
    + [(name, pa.list_(pa.string())) for name in ("products", "families", "groups", "option_grades")]
)

_WORDS = re.findall(
    r"\w+",
    """
able about above across after again almost along already always amber angle answer apple around autumn away balance
bamboo barely basket because before behind below beneath better between beyond blanket blue board bottle bottom
bracket breeze bridge bright broken brother brown bucket buckle button candle canvas carpet castle ceiling chain
chair charge cheap cheese clean clear climb clock close cloth cloud coffee cold color comfort cool copper corner
cotton couch cover crack cream crisp crowd current curtain damage dark daughter daylight deep dinner dish doubt
dozen drawer dream drill driver during early earth easy edge eight either elbow empty enough evening every exact
extra fabric fair family father feather fence field finger finish firm flame flat floor flower folding forest fork
fragile frame fresh friend frozen garden gentle glass glove golden grass gravel green grocery hammer handle happy
harbor heavy helmet hinge hollow honest hotel house hungry inside iron island jacket journey juice kettle kitchen
knife ladder lamp large later leather lemon letter level light linen liquid little lively lovely lunch magnet maple
marble market meadow metal middle minute mirror modern morning mother motor mountain narrow needle never noisy north
orange outside paint paper pattern pencil pepper picture pillow planet plastic plate pleasant pocket polish powder
pretty puzzle quick quiet radio rather repair ribbon river rough round rubber safe salt sample scissors screen
season shadow sharp shelf shiny silver simple sister slow small smooth soap solid spare spoon spring square stable
steel sticky stone storm strong sturdy sugar summer sweet switch table teapot thick thin ticket tight timber tired
tool tower travel umbrella useful velvet village warm water weather weekend wheel window winter wood wool yellow
zipper
""",
)
_SENTENCES = {
    "es": (
        "La caja llegó rota y nadie contestó a mis mensajes.",
        "El color es más bonito que en la fotografía de la página.",
        "Mi hermana lo usa todos los días en la cocina.",
        "No compraría otra vez este producto porque se dobla muy pronto.",
        "Después de dos semanas el motor dejó de funcionar por completo.",
        "Los niños están encantados con el regalo que les hicimos.",
        "Pedimos una talla grande y nos enviaron una pequeña.",
        "Se limpia con un paño húmedo y queda como nuevo.",
    ),
    "de": (
        "Die Kiste kam beschädigt an und niemand hat auf meine Nachricht geantwortet.",
        "Meine Schwester benutzt es jeden Tag in der Küche.",
        "Nach zwei Wochen hat der Motor leider nicht mehr funktioniert.",
        "Die Farbe ist schöner als auf dem Bild im Laden.",
        "Ich würde das Gerät nicht noch einmal kaufen, weil es sich verbiegt.",
        "Wir haben eine große Größe bestellt und eine kleine bekommen.",
        "Man wischt es mit einem feuchten Tuch ab und es sieht aus wie neu.",
        "Unsere Kinder freuen sich sehr über das schöne Geschenk.",
    ),
}
ROLES = ("train", "validation", "test", "test_ood", "test_unseen_instructions", "test_ood_unseen_instructions")
CLASSES = "A: very positive\nB: positive\nC: neutral\nD: negative\nE: very negative"
TASKS = ("Answerability_Prediction", "Attribute_Value_Extraction", "Query_Product_Ranking", "Sentiment_Analysis")


@dataclass
class Made:
    """Rows by (task, role), and for each kind of leak or fault the ids of the rows that have it."""

    rows: dict[tuple[str, str], list[Row]]
    planted: dict[str, set[str]] = field(default_factory=dict)

    def all_rows(self) -> list[Row]:
        return [row for rows in self.rows.values() for row in rows]


def sentence(chance: random.Random, words: int = 30) -> str:
    return " ".join(chance.sample(_WORDS, words)).capitalize() + "."


def foreign_text(chance: random.Random, language: str) -> str:
    return " ".join(chance.sample(_SENTENCES[language], 4))


def title(chance: random.Random, number: int) -> str:
    return f"{' '.join(chance.sample(_WORDS, 5)).title()} No. {number}"


def made_row(task: str, role: str, number: int, chance: random.Random) -> Row:
    """A row that shares nothing with any other, but its task's instructions, classes and labels."""
    ood = "ood" in role
    unseen = "unseen" in role
    key = f"{task[:2]}{ROLES.index(role)}{number:05d}"
    row: Row = {
        "split": {"train": "train", "validation": "val"}.get(role, "test"),
        "task": task,
        "setting": f"{'OOD' if ood else 'IND'}_{'Unseen' if unseen else 'Diverse'}_Instruction",
        "instruction": f"{task}: the wording held out." if unseen else f"{task}: wording {number % 5}.",
        "options": "",
        "few_shot_example": "",
        "example_id": f"{task.lower()}:{key}",
        "template_id": "seed/default",
        "source": "made_up",
        "domain": "ood" if ood else "ind",
        "category": f"{task} out" if ood else f"{task} in",
        "locale": "us",
        "products": [f"asin:{key}"],
        "families": [f"family:{key}"],
        "groups": [],
        "option_grades": [],
    }
    return row | _CONTENT[task](key, number, ood, chance)


def _sentiment(key: str, number: int, _ood: bool, chance: random.Random) -> Row:
    return {"input": sentence(chance), "options": CLASSES, "output": "ABCDE"[number % 5], "groups": [f"user:{key}"]}


def _question(key: str, number: int, _ood: bool, chance: random.Random) -> Row:
    asked = f"Is the {' '.join(chance.sample(_WORDS, 4))} of model {key} fine?"
    snippets = "\n".join(f"{place}. {sentence(chance, 20)}" for place in (1, 2))
    return {
        "input": f"Question: {asked}\nReview snippets:\n{snippets}",
        "output": ("yes", "no")[number % 2],
        "groups": [f"question:{key}"],
    }


def _attribute(key: str, number: int, ood: bool, chance: random.Random) -> Row:
    name = f"attribute {key}" if ood else f"attribute {number % 7}"
    paragraphs = [{"source": "title", "text": title(chance, number) + key}]
    paragraphs.append({"source": "description", "text": sentence(chance)})
    return {
        "input": json.dumps({"paragraphs": paragraphs, "attributes": [name]}),
        "output": json.dumps([{"attribute": name, "value": chance.choice(_WORDS), "source": "title"}]),
        "groups": [f"attribute:{name}"],
    }


def _ranking(key: str, number: int, _ood: bool, chance: random.Random) -> Row:
    letters = ["A", "B", "C"]
    options = "\n".join(f"{letter}: {title(chance, number)} {key}{letter}" for letter in letters)
    chance.shuffle(letters)
    query = f"{' '.join(chance.sample(_WORDS, 4))} {key}"
    return {"input": f"Query: {query}", "options": options, "output": ",".join(letters), "groups": [f"query:us:{key}"]}


_CONTENT: Mapping[str, Callable[[str, int, bool, random.Random], Row]] = {
    "Answerability_Prediction": _question,
    "Attribute_Value_Extraction": _attribute,
    "Query_Product_Ranking": _ranking,
    "Sentiment_Analysis": _sentiment,
}


def clean_dataset(sizes: Mapping[str, int], seed: int = 0, tasks: Sequence[str] = TASKS) -> Made:
    """Rows of so many a role in each task that hold nothing to be found."""
    chance = random.Random(seed)
    return Made(
        {
            (task, role): [made_row(task, role, number, chance) for number in range(size)]
            for task in tasks
            for role, size in sizes.items()
        }
    )


def write_shards(made: Made, folder: Path) -> Path:
    """Write rows as a published dataset's shards."""
    for (task, role), rows in made.rows.items():
        write_parquet(rows, folder / "data" / task.lower() / f"{role}-00000-of-00001.parquet")
    return folder


def write_parquet(rows: Iterable[Row], path: Path, schema: pa.Schema = SCHEMA) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path)


def word_set(text: str) -> set[str]:
    return set(text.casefold().replace(".", " ").split())


def jaccard(one: str, other: str) -> float:
    left, right = word_set(one), word_set(other)
    return len(left & right) / len(left | right)


def nearly(text: str, chance: random.Random, changes: int) -> str:
    """Return a text with a few of its words replaced and all of them in another order."""
    found = text.rstrip(".").casefold().split()
    for place in chance.sample(range(len(found)), changes):
        found[place] = chance.choice([word for word in _WORDS if word not in found])
    chance.shuffle(found)
    return " ".join(found)


class Planter:
    """Plants leaks and faults into rows that nothing was planted into before."""

    def __init__(self, made: Made, seed: int = 1) -> None:
        self.made = made
        self.chance = random.Random(seed)
        self._next: dict[tuple[str, str], int] = {}

    def take(self, task: str, role: str, count: int = PLANTED) -> list[Row]:
        begin = self._next.get((task, role), 0)
        self._next[task, role] = begin + count
        rows = self.made.rows[task, role][begin : begin + count]
        assert len(rows) == count
        return rows

    def leak(self, kind: str, task: str, role: str, change: Callable[[Row, Row], None]) -> None:
        """Change pairs of a training and a held-out row so that they share something."""
        rows = self.take(task, role)
        for train, held_out in zip(self.take(task, "train"), rows, strict=True):
            change(train, held_out)
        self.made.planted.setdefault(kind, set()).update(row["example_id"] for row in rows)

    def fault(self, kind: str, task: str, role: str, change: Callable[[Row], None]) -> None:
        rows = self.take(task, role)
        for row in rows:
            change(row)
        self.made.planted.setdefault(kind, set()).update(row["example_id"] for row in rows)


def planted_dataset() -> Made:
    """A dataset with `PLANTED` leaks and faults of each kind, each in rows of its own."""
    sizes = dict.fromkeys(ROLES, 0)
    made = clean_dataset(sizes | {"train": 1600, "validation": 200, "test": 1000, "test_ood": 400})
    for task in TASKS:
        for role in ("test_unseen_instructions", "test_ood_unseen_instructions"):
            made.rows[task, role] = [
                made_row(task, role, number, random.Random(f"{task}{role}{number}")) for number in range(60)
            ]
    chance = random.Random(5)
    for role in ("test_unseen_instructions", "test_ood_unseen_instructions"):
        made.rows["Sentiment_Analysis", role] = [made_row("Sentiment_Analysis", role, n, chance) for n in range(300)]
    planter = Planter(made)
    _plant_texts(planter)
    _plant_ids(planter)
    _plant_faults(planter)
    return made


def _plant_texts(planter: Planter) -> None:
    chance = planter.chance

    def copy(train: Row, held_out: Row) -> None:
        train["input"] = held_out["input"].upper().replace(" ", "  ")
        train["output"] = "A" if held_out["output"] != "A" else "B"

    def whole(train: Row, held_out: Row) -> None:
        train |= {"input": held_out["input"], "output": held_out["output"]}

    def near(train: Row, held_out: Row) -> None:
        train["input"] = nearly(held_out["input"], chance, chance.choice((0, 1, 2, 3)))
        assert jaccard(train["input"], held_out["input"]) >= 0.8

    def shown_title(train: Row, held_out: Row) -> None:
        first, _, third = train["options"].split("\n")
        second = held_out["options"].split("\n")[1]
        train["options"] = "\n".join((first, "B:  " + second[3:].upper(), third))

    planter.leak("input", "Sentiment_Analysis", "test", copy)
    planter.leak("row", "Sentiment_Analysis", "test", whole)
    planter.leak("near", "Sentiment_Analysis", "test", near)
    planter.leak("title", "Query_Product_Ranking", "test", shown_title)
    planter.made.planted["input"] |= planter.made.planted["row"]


def _plant_ids(planter: Planter) -> None:
    def share(column: str) -> Callable[[Row, Row], None]:
        def change(train: Row, held_out: Row) -> None:
            train[column] = sorted([*train[column], *held_out[column]])

        return change

    def category(train: Row, held_out: Row) -> None:
        train["category"] = held_out["category"] = f"shared {held_out['example_id']}"

    def instruction(train: Row, held_out: Row) -> None:
        held_out["instruction"] = train["instruction"] = f"Wording used twice: {held_out['example_id']}"

    planter.leak("product", "Query_Product_Ranking", "test", share("products"))
    planter.leak("family", "Query_Product_Ranking", "test", share("families"))
    planter.leak("query", "Query_Product_Ranking", "test", share("groups"))
    planter.leak("question", "Answerability_Prediction", "test", share("groups"))
    planter.leak("user", "Sentiment_Analysis", "test", share("groups"))
    planter.leak("attribute", "Attribute_Value_Extraction", "test_ood", share("groups"))
    planter.leak("category", "Sentiment_Analysis", "test_ood", category)
    planter.leak("instruction", "Sentiment_Analysis", "test_unseen_instructions", instruction)


def _plant_faults(planter: Planter) -> None:
    chance = planter.chance
    broken = ('[{"attribute": "Color", "value": NaN}]', '[{"attribute": "Color"', "Color: red", '[{"value": "a" "b"}]')
    markup = ("Good <b>value</b> here.", "Salt &amp; pepper.", "It broke.<br />Sad.", "Caf&eacute; &#39;style&#39;.")

    def change(column: str, make: Callable[[], Any]) -> Callable[[Row], None]:
        return lambda row: row.update({column: make()})

    def null(row: Row) -> None:
        row[chance.choice(("instruction", "output", "locale", "products"))] = None

    def html(row: Row) -> None:
        row["input"] += " " + chance.choice(markup)

    def foreign(row: Row) -> None:
        row["input"] = f"{foreign_text(chance, chance.choice(('es', 'de')))} {row['example_id']}"

    def misfiled(row: Row) -> None:
        row["split"] = "test"

    planter.fault(
        "invalid JSON", "Attribute_Value_Extraction", "train", change("output", lambda: chance.choice(broken))
    )
    planter.fault("null", "Attribute_Value_Extraction", "train", null)
    planter.fault("HTML", "Attribute_Value_Extraction", "test", lambda row: html_in_json(row, chance.choice(markup)))
    planter.fault("HTML", "Answerability_Prediction", "test", html)
    planter.fault("foreign language", "Sentiment_Analysis", "train", foreign)
    planter.fault(
        "answer not among options",
        "Query_Product_Ranking",
        "train",
        change("output", lambda: chance.choice(("D,A,B", "A,A,B", "none of them", "the first"))),
    )
    planter.fault("misfiled", "Answerability_Prediction", "train", misfiled)
    planter.fault("empty", "Answerability_Prediction", "train", change("output", lambda: chance.choice(("", " \n"))))
    planter.fault(
        "Python literal",
        "Answerability_Prediction",
        "train",
        change("output", lambda: chance.choice(("nan", "['yes']"))),
    )
    for row in planter.take("Query_Product_Ranking", "validation"):
        row["output"] = "B,C,A"
    repeated = planter.take("Attribute_Value_Extraction", "train")
    for one, other in zip(repeated[::2], repeated[1::2], strict=True):
        other["example_id"] = one["example_id"]
    planter.made.planted["duplicate id"] = {row["example_id"] for row in repeated}


def html_in_json(row: Row, markup: str) -> None:
    value = json.loads(row["input"])
    value["paragraphs"][1]["text"] += markup
    row["input"] = json.dumps(value)
