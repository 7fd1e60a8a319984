"""A made-up shop's own files, as a recipe would describe them: every part of a description, and odd cells in each."""

from collections.abc import Mapping

from fixture_corpora.forms import json_lines, parquet, zipped

SETTINGS = """\
title = "Pellow & Daughters"
licence = "all rights reserved"
homepage = "https://pellow.example/"
citation = "Pellow & Daughters, stock list."
namespace = "pellow"
locale = "UK"

[[tables]]
file = "stock/*.csv"
category = { column = "Department", separator = " > " }
empty = ["NULL"]
absent = ["n/a", "-"]

[tables.product]
id = "SKU"
title = "Name"
brand = "Maker"
description = ["Short", "Long"]
features = { column = "Bullets", separator = "|" }
price = { column = "Price", currency = "GBP" }
categories = { column = "Department", separator = " > " }
parent_id = { column = "Model", namespace = "pellow-model" }

[tables.attributes]
Colour = "Colour"
Material = { column = "Material", separator = "/" }

[tables.relations]
also_buy = { column = "Bought with", separator = ";" }
bought_together = { column = "Bundle", separator = ";" }

[tables.same_as]
column = "Also listed as"
separator = ";"

[[tables]]
file = "reviews.tsv"
encoding = "cp1252"
review = { product = "sku", user = "who", rating = { column = "marks", best = 10 }, title = "headline", \
text = "words", time = { column = "when", format = "%d.%m.%Y" }, helpful = "thumbs", \
verified = { column = "bought here", yes = ["ja"], no = ["nein"] } }

[[tables]]
file = "searches.jsonl.gz"
optional = ["country"]
locale = { column = "country" }

[tables.judgement]
query = "search.words"
query_id = "search.id"
product = "item.sku"
label = { column = "verdict", grades = { perfect = "E", fair = "S", goes_with = "C", bad = "I" } }

[[tables]]
file = "rivals.parquet"
match = { left = "ours", right = { column = "theirs", namespace = "rival" }, is_match = "same" }

[[tables]]
file = "questions.jsonl"
optional = ["*"]

[tables.question]
id = "number"
product = "sku"
question = "asks"
kind = { column = "kind", yesno = ["closed"], descriptive = ["open"] }
answerable = "known"
snippets = "quotes"
answers = { column = "replies", text = "says", helpful = "up", total = "votes" }

[[tables]]
file = "visits.csv"
session = { id = "visit", products = { column = "seen", separator = " " } }
"""

_STOCK = """\
SKU,Name,Maker,Short,Long,Bullets,Price,Department,Model,Colour,Material,Bought with,Bundle,Also listed as
0042,"Pellow Oak Stool, Black",Pellow,"A stool of oak & iron, 45 cm high.","Stands\nfirm.",Stacks|  |Turns,24.50,\
Home & Kitchen > Stools,7,black,Oak / iron,0043;0043;0051,0044,0051
0043,Hollin Wool Blanket,Hollin,NULL,Warm.,,NULL,Home & Kitchen,,n/a,wool,,,

0051,Stool Pellow (oak),,,,,"1,024.00 EUR",,,,teak,0042,,0051;0042
,Nameless,,,,,,,,,,,,
0052,Broken,"quote"d,,,,,,,,,,,
0053,Too few cells
"""

_REVIEWS = """\
sku\twho\tmarks\theadline\twords\twhen\tthumbs\tbought here
0042\t7\t10\tFest\tSteht wie eine Eiche, und das seit M\u00e4rz.\t28.02.2024\t3\tja
0043\t\t1\t\tKratzt.\t01.03.2024\t\tNEIN
0042\t7\t11\tToo high a mark\t\t28.02.2024\t\t
0042\t7\t5\tNo such day\t\t30.02.2024\t\t
0042\t7\t5\tHalf a thumb\t\t28.02.2024\t0.5\t
0042\t7\t5\tUnheard of\t\t28.02.2024\t\tmaybe
0042\t7\t5\tNo date\t\t\t\t
0042\t8\t5,5\t\tGeht so.\t29.02.2024\t\t
"""

_SEARCHES = [
    {"search": {"words": "oak stool", "id": 17}, "item": {"sku": 42}, "verdict": "Perfect", "country": "en-GB"},
    {"search": {"words": "oak stool", "id": 17}, "item": {"sku": "0043"}, "verdict": "bad"},
    {"search": {"words": "oak stool", "id": None}, "item": {"sku": "0051"}, "verdict": "fair", "country": "ie"},
    {"search": {"words": " ", "id": 18}, "item": {"sku": "0051"}, "verdict": "fair", "country": "ie"},
    {"search": {"words": "stool", "id": 18}, "item": {"sku": "0051"}, "verdict": "superb", "country": "ie"},
    {"search": {"words": "stool", "id": 18}, "item": {}, "verdict": "fair", "country": "ie"},
    {"search": {"words": "stool", "id": 18}, "item": {"sku": ["0051"]}, "verdict": {}, "country": "ie"},
    {"search": {"words": "stool", "id": 1e300}, "item": {"sku": 1.5e300}, "verdict": "fair", "country": "ie"},
    {"search": {"words": "stool", "id": 18}, "item": {"sku": "0051"}, "verdict": "fair", "country": "Ireland"},
    '{"search": {"words": "stool", "id": 18}, "item": {"sku": "00',
]

_RIVALS = [
    {"ours": "0042", "theirs": 9001.0, "same": True},
    {"ours": "0043", "theirs": 9002.0, "same": False},
    {"ours": None, "theirs": 9003.0, "same": False},
    {"ours": "0051", "theirs": 9004.0, "same": None},
]

_QUESTIONS = [
    {
        "number": 5,
        "sku": "0042",
        "asks": "How high is it?",
        "kind": "open",
        "known": "yes",
        "quotes": ["It is 45 cm high.", "", "As high as my knee."],
        "replies": [{"says": "45 cm.", "up": 3, "votes": 4}, {"says": " "}, {"says": "Knee-high."}],
    },
    {"sku": "0042", "asks": "Does it stack?", "kind": "closed", "known": False, "replies": ["Yes.", "It does."]},
    {"sku": "0042", "asks": "Does it fold?", "kind": "closed?"},
    {"sku": "0042", "asks": "Does it fold?", "kind": "closed", "replies": [{"says": "No.", "up": "many"}]},
    {"sku": "0042"},
]

_VISITS = """\
visit,seen
v1,0042 0043 0042
,0051
v3,
"""

FILES: Mapping[str, bytes] = {
    "settings.toml": SETTINGS.encode(),
    "stock/spring.csv": b"\xef\xbb\xbf" + _STOCK.replace("\n", "\r\n").encode(),
    "reviews.tsv": _REVIEWS.encode("cp1252"),
    "searches.jsonl.gz": zipped(json_lines(*_SEARCHES)),
    "rivals.parquet": parquet(_RIVALS),
    "questions.jsonl": json_lines(*_QUESTIONS),
    "visits.csv": _VISITS.encode(),
}
