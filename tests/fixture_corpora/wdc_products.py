"""WDC Products: JSON lines of both crawls, and titles in Ditto's serialised form."""

from collections.abc import Mapping
from typing import Any

from fixture_corpora.forms import json_lines, zipped

_KETTLE = 'COL title VAL  "Brackwater Kettle BK300, 3 l"@en BK300 | Pots & Pans"@en'
_OTHER = 'COL title VAL  " Brackwater BK300 Kettle "@en-US " Kettles - Page 4 | Kitchen Outlet "@en-US'
_LAMP = 'COL title VAL  "Lumen 13" Desk Lamp" Oak | Lamp House'
_TAG_ONLY = 'COL title VAL  ""@de "Lampenhaus"@de'
_FOREIGN = 'COL title VAL  "Wasserkocher BK300 aus Stahl"@de'
_MORE = (
    "COL brand VAL  COL title VAL Brackwater kettle COL price VAL 49.88 COL priceCurrency VAL EUR "
    "COL description VAL A kettle. COL specTableContent VAL Volume 3 l "
)

_LINES = (
    f"{_KETTLE}\t{_OTHER}\t1",
    f"{_KETTLE}\t{_LAMP}\t0",
    f"{_OTHER} \t{_FOREIGN}\t1",
    f"{_TAG_ONLY}\t{_LAMP}\t0",
    f"{_LAMP}\t{_LAMP}\t1",
    f"{_MORE}\t{_KETTLE}\t1",
    f"{_KETTLE}\t{_OTHER}",
    f"{_KETTLE}\t{_OTHER}\t2",
    f"title: kettle\t{_OTHER}\t1",
    f"{_KETTLE}\t{_OTHER}\t1",
)


def _pair(left: Mapping[str, Any], right: Mapping[str, Any], **pair: Any) -> dict[str, Any]:
    sides = {"left": left, "right": right}
    return {f"{name}_{side}": value for side, offer in sides.items() for name, value in offer.items()} | pair


def _offer(number: int, title: str | None, cluster: int, **changes: Any) -> dict[str, Any]:
    offer = {"id": number, "brand": None, "title": title, "description": None, "price": None, "priceCurrency": None}
    return offer | {"cluster_id": cluster} | changes


_DESK = _offer(501, "Lumen Oak Desk Lamp", 7, brand="Lumen", price="39.90", priceCurrency="GBP")
_TABLE = _offer(502, '"Lumen" table lamp, oak', 7, description="Oak.", price=42.5)
_LID = _offer(503, "Spare lid for kettles", 8, price="call us", priceCurrency="EUR")

_CRAWL_2020 = (
    _pair(_DESK, _TABLE, pair_id="501#502", label=1, is_hard_negative=False),
    _pair(_DESK, _LID, pair_id="501#503", label=0, is_hard_negative=True),
    _pair(_DESK, _LID, pair_id="501#503", label="no", is_hard_negative=True),
    '{"id_left": 501, "label": 0}',
)

_OLD = {
    "id": 501,
    "category": "Home_and_Garden",
    "cluster_id": 7,
    "brand": '"Lumen"@en',
    "title": ' "Lumen Oak Lamp"@en "Lumen Oak Lamp | Lamp House"@en',
    "description": '"An oak lamp."@en',
    "price": '"GBP 39.90"',
    "specTableContent": "Height 40 cm",
}
_CRAWL_2017 = (
    _pair(_OLD, _OLD | {"id": 502, "description": None, "price": None}, pair_id="501#502", label=1),
    _pair(_OLD, _OLD | {"id": 503, "cluster_id": 8, "specTableContent": None}, pair_id="501#503", label=0),
)

FILES: Mapping[str, bytes] = {
    "wdcproducts80cc20rnd000un_train_small.json.gz": zipped(json_lines(*_CRAWL_2020)),
    "wdcproducts80cc20rnd100un_gs.json": json_lines(_CRAWL_2020[0]),
    "cameras/train_small.json.gz": zipped(json_lines(*_CRAWL_2017)),
    "ditto_cameras/train.txt.small": "".join(f"{line}\n" for line in _LINES).encode(),
    "ditto_cameras/test.txt": f"{_OTHER}\t{_LAMP}\t0\n".encode(),
    "all/valid.txt.medium": f"{_LAMP}\t{_KETTLE}\t0\n".encode(),
}
