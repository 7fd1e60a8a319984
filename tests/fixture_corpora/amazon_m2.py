"""Amazon-M2: sessions as numpy prints them in CSV and as lists in Parquet, and products of several marketplaces."""

from collections.abc import Mapping

from fixture_corpora.forms import parquet, zipped

_COLUMNS = "id,locale,title,price,brand,color,size,model,material,author,desc\n"

FILES: Mapping[str, bytes] = {
    "products_train.csv": (
        _COLUMNS + 'B0KETTLEUK,UK,"Brackwater steel kettle, 1.7 l",24.99,Brackwater,silver,1.7 l,BK-17,steel,,'
        '"Boils fast.\nWhistles."\n'
        "B0KETTLEUK,DE,Brackwater Wasserkessel aus Edelstahl,27.5,Brackwater,,,,,,\n"
        "B0TEEKANNE,DE,Teekanne mit Sieb & Deckel,40000000.07,,weiß,,,Glas,,Für zwei Tassen.\n"
        "B0TETERAES,ES,,0.0,,,,,,,\n"
        "B0YAKANJPX,JP,ブラックウォーター やかん,2980.0,,,,,,,湯沸かし\n"
        "B0KETTLEUS,US,Kettle,1.0,,,,,,,\n"
        ",UK,No id,1.0,,,,,,,\n"
        "B0SHORTROW,UK,Too few cells\n"
    ).encode(),
    "sessions_train.csv": (
        b"prev_items,next_item,locale\n"
        b"\"['B0KETTLEUK' 'B0TEAPOTUK'\n 'b0kettleuk']\",B0MUGSETUK,UK\n"
        b"['B0TEEKANNE'],B0KETTLEUK,DE\n"
        b"['B0YAKANJPX' 'B0CHAWANJP'],B0YAKANJPX,JP\n"
        b"['B0TEEKANNE'],B0KETTLEUK,DE\n"
        b"[],B0KETTLEUK,DE\n"
        b"['B0TEEKANNE'],B0KETTLEUK,PL\n"
        b",B0KETTLEUK,DE\n"
    ),
    "sessions_test_task1_phase1.csv.gz": zipped(
        b"prev_items,locale\n['B0TEEKANNE' 'B0KETTLEUK'],DE\n['B0TETERAES' 'B0TETERAES'],ES\n"
    ),
    "task2/public_test/sessions_test.parquet": parquet(
        [
            {"prev_items": ["B0TEEKANNE", "B0KETTLEUK"], "locale": "DE"},
            {"prev_items": ["B0TETERAES"], "locale": "ES"},
            {"prev_items": ["B0TEEKANNE", "B0KETTLEUK"], "locale": "DE"},
            {"prev_items": [], "locale": "FR"},
            {"prev_items": ["B0CAFETERA", " "], "locale": "FR"},
            {"prev_items": None, "locale": "IT"},
            {"prev_items": ["B0MOKAITAL", "B0TAZZINAX", "B0MOKAITAL"], "locale": "IT"},
        ]
    ),
}
