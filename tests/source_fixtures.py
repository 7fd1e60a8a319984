"""The fixture files of the sources: upstream's form to the letter, words of our own, and every known quirk planted.

Run as a script to write them again: ``python tests/source_fixtures.py``.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fixture_corpora
from fixture_corpora.forms import json_lines, literal_lines, zipped

FOLDER = Path(__file__).parent / "fixtures" / "sources"


def _review(**changes: Any) -> dict[str, Any]:
    record = {
        "overall": 4.0,
        "verified": True,
        "reviewTime": "03 9, 2016",
        "reviewerID": "A1QUIETCOOK",
        "asin": "B00KETTLE1",
        "reviewerName": "Quiet Cook",
        "reviewText": "Boils a litre before the toast is done, and the lid stays shut.",
        "summary": "Quick & tidy",
        "unixReviewTime": 1457481600,
    }
    return {key: value for key, value in {**record, **changes}.items() if value is not ...}


def _metadata(**changes: Any) -> dict[str, Any]:
    record = {
        "category": ["Home & Kitchen", "Kettles"],
        "tech1": "",
        "description": ["A steel kettle.", "", "Holds &frac34; of a gallon."],
        "fit": "",
        "title": "Brackwater Steel Kettle, 3 l",
        "also_buy": ["B00TEAPOT2", "b00mugset3", "B00TEAPOT2"],
        "tech2": "",
        "brand": "Brackwater",
        "feature": ["Cool handle", "Whistles"],
        "rank": [">#1,204 in Home &amp; Kitchen"],
        "also_view": ["B00KETTLE9"],
        "main_cat": "Amazon Home",
        "similar_item": "",
        "date": "March 2, 2011",
        "price": "$1,250.00",
        "asin": "B00KETTLE1",
    }
    return {key: value for key, value in {**record, **changes}.items() if value is not ...}


_SIMILAR = (
    '<table class="a-bordered"><tr><td data-asin="B00KETTLE7"><a href="/dp/B00KETTLE8/ref=x">Other</a></td>'
    "<td>asin=B00KETTLE1</td><td>&quot;asin&quot;:&quot;0306406152&quot;</td></tr></table>"
)

AMAZON_REVIEWS_2018 = {
    "categoryFilesSmall/Home_and_Kitchen_5.json.gz": zipped(
        json_lines(
            _review(vote="1,341", style={"Colour:": " Red"}, image=["https://images.example/kettle.jpg"]),
            _review(reviewerID="A2NOWORDS", reviewText=..., summary=..., overall=1.0),
            _review(vote="1,341", style={"Colour:": " Red"}, image=["https://images.example/kettle.jpg"]),
            _review(reviewerID="A3BLANKS", reviewText="  ", verified=False, asin="b00mugset3"),
            "",
            '{"overall": 5.0, "reviewerID": "A4CUTOFF", "asin": "B00KET',
            _review(overall=6.0),
            _review(reviewerID=...),
            _review(asin=1234567890),
            _review(asin=""),
            _review(overall="five"),
            _review(vote="1,341", style={"Colour:": " Red"}, image=["https://images.example/kettle.jpg"]),
        )
    ),
    "categoryFiles/Home_and_Kitchen.json.gz": zipped(json_lines(_review(vote="2"))),
    "categoryFilesSmall/Home_and_Kitchen.csv": (
        b"B00KETTLE1,A1QUIETCOOK,4.0,1457481600\n"
        b"B00MUGSET3,A5RATER,2.0,1460000000\n"
        b"B00MUGSET3,,2.0,1460000000\n"
        b"B00MUGSET3,A6RATER,9.0,1460000000\n"
        b"B00MUGSET3,A6RATER\n"
        b"B00KETTLE1,A1QUIETCOOK,4.0,1457481600\n"
    ),
    "metaFiles/meta_Home_and_Kitchen.json.gz": zipped(
        json_lines(_metadata(image=["https://images.example/kettle.jpg"], rank="2,114 in Kettles (", details={}))
    ),
    "metaFiles2/meta_Home_and_Kitchen.json.gz": zipped(
        json_lines(
            _metadata(imageURL=[], imageURLHighRes=[], similar_item=_SIMILAR),
            _metadata(asin="B00BROKEN1", title='<span class="a-size-medium a-color-secondary"', rank=[], price=""),
            _metadata(asin="B00BROKEN2", title="var start = new Date().getTime();", price=".a-box-inner{color:#fff}"),
            _metadata(asin="B00BROKEN3", price="\n\n\n<script", main_cat='<img src="x.png" alt="AMAZON FASHION"/>'),
            _metadata(asin="B00BARE004", brand="", description=[], feature=[], category=[], also_buy=[], also_view=[]),
            _metadata(imageURL=[], imageURLHighRes=[], similar_item=_SIMILAR),
            _metadata(asin=...),
            _metadata(asin="B00BROKEN5", also_buy={"B00TEAPOT2": 1}),
        )
    ),
}

_REVIEW_2014 = {
    "reviewerID": "A9PUZZLER",
    "asin": "B000PUZZLE",
    "reviewerName": 'Anna "Puzzler"',
    "helpful": [3, 4],
    "reviewText": "Thick pieces; the corner ones are easy to find.",
    "overall": 5.0,
    "summary": "Sturdy puzzle",
    "unixReviewTime": 1333324800,
    "reviewTime": "04 2, 2012",
}
_METADATA_2014 = {
    "asin": "B000PUZZLE",
    "title": 'Don\'t Panic: 500 Piece "Harbour" Puzzle',
    "description": "A harbour at dusk.\nFive hundred pieces.",
    "price": 9.49,
    "imUrl": "http://images.example/puzzle.jpg",
    "related": {
        "also_bought": ["B000GLUE01", "B000FRAME2"],
        "also_viewed": ["B000PUZZL3"],
        "bought_together": ["B000GLUE01"],
        "buy_after_viewing": ["B000PUZZL4"],
    },
    "salesRank": {"Toys & Games": 2210},
    "brand": "Lanternside",
    "categories": [["Toys & Games", "Puzzles"], ["Gifts", "For Grown-Ups"]],
}

AMAZON_REVIEWS_2014 = {
    "reviews_Toys_and_Games_5.json.gz": zipped(
        json_lines(_REVIEW_2014, _REVIEW_2014 | {"helpful": [1]}, _REVIEW_2014, _REVIEW_2014 | {"overall": 0.0})
    ),
    "meta_Toys_and_Games.json.gz": zipped(
        literal_lines(
            _METADATA_2014,
            {"asin": "B000BARE01", "categories": [["Toys & Games"]]},
            "{'asin': u'B000UNICO1', 'title': u'Caf\\xe9 play set', 'price': 20}",
            '{"asin": "B000JSON01", "title": null}',
            "{'asin': __import__('os').getcwd()}",
            "{'asin': 'B000CUT001', 'title': ",
            "(" * 3000,
            {"title": "No asin"},
            _METADATA_2014,
        )
    ),
}

AMAZON_GOOGLE = {
    "Amazon.csv": (
        '"id","title","description","manufacturer","price"\r\n'
        '"b00ledger1","ledger pro 2007 (win)","keeps the books;\r\nprints the invoices","harrowgate",149.99\r\n'
        '"b00typist2","typing \xae tutor","","",0\r\n'
        '"b00atlas03","atlas, deluxe &amp; ""updated""",,"meridian","49.95 gbp"\r\n'
        '"b00broken4","too few cells"\r\n'
        '"","no id","","",1\r\n'
    ).encode("latin-1"),
    "GoogleProducts.csv": (
        '"id","name","description","manufacturer","price"\r\n'
        '"http://www.google.com/base/feeds/snippets/1000000000000000001","ledger pro 7",,,"139.00"\r\n'
        '"http://www.google.com/base/feeds/snippets/1000000000000000002","ledger professional",,"harrowgate",0.0\r\n'
        '"http://www.google.com/base/feeds/snippets/none","no number",,,5\r\n'
    ).encode("latin-1"),
    "Amzon_GoogleProducts_perfectMapping.csv": (
        '"idAmazon","idGoogleBase"\r\n'
        '"b00ledger1","http://www.google.com/base/feeds/snippets/1000000000000000001"\r\n'
        '"b00ledger1","http://www.google.com/base/feeds/snippets/1000000000000000002"\r\n'
    ).encode("latin-1"),
}

_PARAGRAPHS = [
    {"text": "Steel kettle, 3 l", "source": "title"},
    {"text": "A kettle of brushed steel.", "source": "description"},
    {"text": "Brackwater", "source": "brand"},
]
_VOLUME = {"key": "Volume", "evidences": [{"value": "3 l", "pid": 0, "begin": 14, "end": 17}]}
_MATERIAL = {
    "key": "Material",
    "evidences": [
        {"value": "Steel", "pid": 0, "begin": 0, "end": 5},
        {"value": "brushed steel", "pid": 1, "begin": 12, "end": 25},
    ],
}
_COLOUR = {"key": "Colour", "evidences": []}
_LABEL = {"id": "B00KETTLE1", "category": "Home & Kitchen", "attributes": [_VOLUME, _MATERIAL]}

MAVE = {
    "mave_positives_labels.jsonl": json_lines(
        _LABEL,
        _LABEL | {"attributes": [{"key": "Volume", "evidences": [{"value": "3 l", "pid": 0, "begin": -1, "end": 2}]}]},
        {"category": "Kettles", "attributes": [_VOLUME]},
        "not a record",
    ),
    "mave_negatives_labels.jsonl": json_lines(_LABEL | {"attributes": [_COLOUR]}),
    "splits/PRODUCT/train/00_All/mave_positives.jsonl": json_lines(
        _LABEL | {"attributes": [_MATERIAL], "paragraphs": _PARAGRAPHS}
    ),
    "splits/PRODUCT/eval/00_All/mave_negatives.jsonl": json_lines(
        _LABEL | {"id": "9042", "attributes": [_COLOUR], "paragraphs": _PARAGRAPHS}
    ),
}

_QUESTION = {
    "asin": "B00KETTLE1",
    "category": "Home & Kitchen",
    "questionText": "Does it whistle when it boils?",
    "questionType": "yesno",
    "review_snippets": ["It whistles loudly.", " ", "Heard it from the garden."],
    "answers": [
        {"answerText": "Yes, very loudly.", "answerType": "Y", "helpful": [2, 3]},
        {"answerText": " ", "answerType": "?", "helpful": [0, 0]},
    ],
    "is_answerable": 1,
    "qid": 501,
}

AMAZONQA = {
    "train-qar.jsonl": json_lines(
        _QUESTION,
        _QUESTION
        | {"qid": 502, "questionType": "descriptive", "is_answerable": 0, "answers": [], "category": "Kettles"},
        _QUESTION | {"qid": 503, "top_review_wilson": "Whistles.", "review_snippets": []},
        _QUESTION | {"questionType": "rhetorical"},
        _QUESTION | {"is_answerable": 2},
        {key: value for key, value in _QUESTION.items() if key != "qid"},
        _QUESTION,
    ),
    "val-qar.jsonl": json_lines(_QUESTION | {"qid": 601}),
    "test-qar.jsonl.gz": zipped(json_lines(_QUESTION | {"qid": 701})),
}

FILES: Mapping[str, Mapping[str, bytes]] = {
    "amazon_google": AMAZON_GOOGLE,
    "amazon_reviews_2014": AMAZON_REVIEWS_2014,
    "amazon_reviews_2018": AMAZON_REVIEWS_2018,
    "amazonqa": AMAZONQA,
    "mave": MAVE,
    **{
        module.name: importlib.import_module(f"fixture_corpora.{module.name}").FILES
        for module in pkgutil.iter_modules(fixture_corpora.__path__)
        if module.name != "forms"
    },
}
"""The content of every fixture file, by source and file."""

if __name__ == "__main__":
    for source, files in FILES.items():
        for file, content in files.items():
            path = FOLDER / source / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
