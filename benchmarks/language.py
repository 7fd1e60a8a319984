"""Measure the language check on real titles: foreign ones missed, English ones rejected, texts a second.

    python benchmarks/language.py [CORPORA]

CORPORA holds upstream files as `<source>/<upstream name>` (default: $ECINSTRUCT_REAL_CORPORA). Offers of `wdc_products`
come with the language that their page states. That is not the title's own: many a title is a brand and a model number.
So three shares of missed titles are printed: of all, of those with a word of the page's language, and of those of
60 letters. A word is one if the page's language uses it ten times as often as English, by the frequency lists of
wordfreq (`pip install wordfreq`; without it that share is left out) and by the share of these titles that hold it, and
names no country. Only titles of 20 letters count, words with digits left out.
"""

import argparse
import ast
import csv
import gzip
import importlib.util
import json
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from quality.language import LanguageSettings, detect_foreign

TITLE = re.compile(r'"([^"]{2,400})"@([A-Za-z]{2})\b')
WORD = re.compile(r"[^\W\d_]+")
FOREIGN = ("de", "es", "fr", "it", "nl", "pl", "pt")
COUNTRIES = frozenset({"deutschland", "españa", "france", "italia", "nederland", "netherlands", "polska", "portugal"})
LEAST, LONG = 20, 60
TIMES = 10
RAREST = 1e-8  # by wordfreq's lists
SETTINGS = LanguageSettings()


def tagged(corpora: Path) -> dict[str, list[str]]:
    """Return offers' titles by the language that their page states; `en-US` and `us` are English."""
    titles: dict[str, set[str]] = {}
    for path in sorted((corpora / "wdc_products").glob("*/*")):
        for title, language in TITLE.findall(path.read_text(encoding="utf-8")):
            titles.setdefault({"us": "en"}.get(language.lower(), language.lower()), set()).add(title.strip())
    return {language: long_enough(titles[language]) for language in sorted(titles)}


def letters(text: str) -> int:
    return sum(map(str.isalpha, " ".join(word for word in text.split() if not re.search(r"\d", word))))


def long_enough(texts: Iterable[str]) -> list[str]:
    return sorted({text for text in texts if text and "<span" not in text and letters(text) >= LEAST})


def json_lines(path: Path, field: str) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line).get(field) or "" for line in lines]


def csv_column(path: Path, field: str, encoding: str) -> list[str]:
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        return [row[field] for row in csv.DictReader(file)]


def us_titles(path: Path) -> list[str]:
    table = pq.read_table(path, columns=["product_title", "product_locale"])
    return [row["product_title"] for row in table.to_pylist() if row["product_locale"] == "us"]


def music_titles(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [ast.literal_eval(line).get("title", "") for line in lines]


ENGLISH: Mapping[str, Callable[[Path], list[str]]] = {
    "esci/shopping_queries_dataset_products.parquet": us_titles,
    "amazon_google/Amazon.csv": lambda path: csv_column(path, "title", "latin-1"),
    "amazon_google/GoogleProducts.csv": lambda path: csv_column(path, "name", "latin-1"),
    "abt_buy/Abt.csv": lambda path: csv_column(path, "name", "utf-8"),
    "abt_buy/Buy.csv": lambda path: csv_column(path, "name", "utf-8"),
    "amazon_reviews_2014/meta_Digital_Music.json.gz": music_titles,
    "amazon_reviews_2018/meta_Gift_Cards.json.gz": lambda path: json_lines(path, "title"),
    "amazon_reviews_2018/meta_Magazine_Subscriptions.json.gz": lambda path: json_lines(path, "title"),
    "amazon_reviews_2018/Magazine_Subscriptions_5.json.gz": lambda path: json_lines(path, "reviewText"),
}
"""Files of English texts; in some, titles of songs and magazines are in other languages."""


def own_words(language: str, titles: Sequence[str], english: Sequence[str]) -> frozenset[str]:
    """Return the words of a language's titles that are plainly its own."""
    from wordfreq import get_frequency_dict  # noqa: PLC0415 (it may not be installed)

    here, there = (Counter(word for title in part for word in words(title)) for part in (titles, english))
    usual, usual_english = get_frequency_dict(language, "large"), get_frequency_dict("en", "large")
    return frozenset(
        word
        for word in here
        if here[word] * len(english) >= TIMES * there[word] * len(titles)
        and usual.get(word, 0.0) >= TIMES * max(usual_english.get(word, 0.0), RAREST)
        and word not in COUNTRIES
    )


def words(text: str) -> set[str]:
    return set(WORD.findall(text.casefold()))


def share(part: Collection[str], found: Mapping[str, bool], *, of_found: bool) -> str:
    """Return how many texts of a part were found foreign, or how many were not."""
    if not part:
        return f"{'-':>23}"
    count = sum(found[text] is of_found for text in part)
    return f"{count:6,} of {len(part):6,} {count / len(part):6.1%}"


def print_missed(titles: Mapping[str, Sequence[str]]) -> None:
    judged = importlib.util.find_spec("wordfreq") is not None
    print(f"{'missed, by language':20} {'all':>23} {'with a word of it':>23} {'60 letters':>23}")
    everything: list[list[str]] = [[], [], []]
    verdicts: dict[str, bool] = {}
    for language in (name for name in FOREIGN if name in titles):
        own = own_words(language, titles[language], titles["en"]) if judged else frozenset[str]()
        parts = [
            list(titles[language]),
            [title for title in titles[language] if words(title) & own],
            [title for title in titles[language] if letters(title) >= LONG and (words(title) & own or not judged)],
        ]
        verdicts |= {title: detect_foreign(title, "en", SETTINGS) is not None for title in parts[0]}
        print(f"{language:20} " + " ".join(share(part, verdicts, of_found=False) for part in parts))
        everything = [kept + part for kept, part in zip(everything, parts, strict=True)]
    print(f"{'all of them':20} " + " ".join(share(part, verdicts, of_found=False) for part in everything))


def print_rejected(texts: Mapping[str, Sequence[str]]) -> None:
    for name, part in texts.items():
        found = {text: detect_foreign(text, "en", SETTINGS) is not None for text in part}
        print(f"{name:60} {share(part, found, of_found=True)}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path, nargs="?", default=os.environ.get("ECINSTRUCT_REAL_CORPORA"))
    corpora = parser.parse_args().corpora
    if corpora is None or not Path(corpora).is_dir():
        parser.error("say where the corpora are")
    titles = tagged(Path(corpora))
    english = {
        name: long_enough(read(Path(corpora) / name))
        for name, read in ENGLISH.items()
        if (Path(corpora) / name).exists()
    }
    english["wdc_products, pages in English"] = titles["en"]
    print_missed(titles)
    print("\nrejected, by English source")
    print_rejected(english)
    everything = [text for part in english.values() for text in part]
    started = time.perf_counter()
    for text in everything:
        detect_foreign(text, "en", SETTINGS)
    print(f"\n{len(everything) / (time.perf_counter() - started):,.0f} texts/s on one core, English, not memoised")


if __name__ == "__main__":
    main()
