"""Amazon Reviews 2023: reviews and metadata as JSON lines, benchmark files as CSV, and the early sample."""

from collections.abc import Mapping
from typing import Any

from fixture_corpora.forms import json_lines, zipped


def _review(**changes: Any) -> dict[str, Any]:
    record = {
        "rating": 4.0,
        "title": "Warm & quiet",
        "text": "Heats the hall in ten minutes.<br />The cord could be longer.",
        "images": [{"small_image_url": "https://images.example/s.jpg", "attachment_type": "IMAGE"}],
        "asin": "B0HEATER1R",
        "parent_asin": "B0HEATER00",
        "user_id": "AFCOLDHALL",
        "timestamp": 1588687728923,
        "helpful_vote": 3,
        "verified_purchase": True,
    }
    return {key: value for key, value in {**record, **changes}.items() if value is not ...}


def _early(**changes: Any) -> dict[str, Any]:
    older = {"sortTimestamp": 1677939664713, "helpfulVotes": 2, "verifiedPurchase": False}
    return _review(timestamp=..., helpful_vote=..., verified_purchase=..., **{**older, **changes})


def _metadata(**changes: Any) -> dict[str, Any]:
    record = {
        "main_category": "Amazon Home",
        "title": "Brackwater Fan Heater, 2 kW",
        "average_rating": 4.2,
        "rating_number": 311,
        "features": ["Two speeds", "", "Tips over without harm"],
        "description": ["A heater for halls.", "Weighs 2 kg."],
        "price": 39.5,
        "images": [{"thumb": "https://images.example/t.jpg", "large": None, "variant": "MAIN", "hi_res": None}],
        "videos": [{"title": "Unpacking", "url": "https://videos.example/1", "user_id": ""}],
        "store": "Brackwater Shop",
        "categories": ["Home & Kitchen", "Heating"],
        "details": {"Brand": "Brackwater", "Item Weight": "2 kg", "Best Sellers Rank": {"Heating": 12}},
        "parent_asin": "B0HEATER00",
        "bought_together": None,
    }
    return {key: value for key, value in {**record, **changes}.items() if value is not ...}


FILES: Mapping[str, bytes] = {
    "raw/review_categories/Home_and_Kitchen.jsonl.gz": zipped(
        json_lines(
            _review(),
            _review(user_id="AFBOTHSAME", asin="B0HEATER00", timestamp=1588687728001, helpful_vote=0),
            _review(user_id="AFSAMERED", timestamp=1588687729000, text=" ", title=""),
            _review(user_id="AFBLUE", asin="b0heater2b", helpful_vote=-1, images=[]),
            _review(),
            "",
            _review(rating=0.0),
            _review(timestamp=...),
            _review(parent_asin=...),
            _review(user_id=" "),
            _early(user_id="AFEARLIER"),
            '{"rating": 5.0, "title": "cut',
        )
    ),
    "raw/review_categories/Gift_Cards.jsonl": json_lines(_review(asin="B0CARD0001", parent_asin="B0CARD0001")),
    "raw/meta_categories/meta_Home_and_Kitchen.jsonl.gz": zipped(
        json_lines(
            _metadata(),
            _metadata(parent_asin="B0HEATER01", price="from 12.99", details={}, features=[], description=[]),
            _metadata(parent_asin="B0HEATER02", price="None", store=None, details={"Brand": ["no", "text"]}),
            _metadata(parent_asin="B0HEATER03", price=None, title="", details='{"Brand": "as text"}', categories=[]),
            _metadata(parent_asin="B0HEATER04", price="\N{EM DASH}", main_category=None, subtitle="x", author=None),
            _metadata(parent_asin="B0HEATER05", price=12, bought_together=["B0HEATER00"]),
            _metadata(),
            _metadata(parent_asin=...),
            _metadata(title=["a", "list"]),
        )
    ),
    "raw/meta_categories/meta_Gift_Cards.jsonl": json_lines(_metadata(parent_asin="B0CARD0001", title="A card")),
    "review10.json": json_lines(_early(), _early(user_id="AFNEVER", helpfulVotes=None), _early(sortTimestamp="noon")),
    "benchmark/5core/rating_only/Home_and_Kitchen.csv": (
        b"user_id,parent_asin,rating,timestamp\n"
        b"AFCOLDHALL,B0HEATER00,4.0,1588687728923\n"
        b"AFRATER,B0HEATER01,2.0,1588687730000\n"
        b"AFRATER,B0HEATER01,7.0,1588687730000\n"
        b"AFRATER,,2.0,1588687730000\n"
        b"AFRATER,B0HEATER01,2.0\n"
    ),
    "benchmark/5core/last_out_w_his/Home_and_Kitchen.train.csv.gz": zipped(
        b"user_id,parent_asin,rating,timestamp,history\n"
        b"AFRATER,B0HEATER01,2.0,1588687730000,\n"
        b"AFRATER,B0HEATER02,3.0,1588687731999,B0HEATER01\n"
    ),
}
