"""The description of a catalogue in a recipe: what is refused, in which words, and that nothing of it gets lost."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from ecinstruct_build.engine import EngineSettings
from ecinstruct_build.errors import UserError
from ecinstruct_build.ingesting.catalogue_settings import CatalogueSettings
from ecinstruct_build.progress import Silence
from ecinstruct_build.publish.recipe_file import recipe_toml
from ecinstruct_build.recipe import load_recipe, parse_recipe
from ecinstruct_build.stages.corpora import ingest
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Store

PRODUCT = {"id": "sku", "title": "name"}
SETTINGS = Path(__file__).parent / "fixtures" / "sources" / "catalogue" / "settings.toml"


def recipe_of(**settings: Any):
    return parse_recipe({"name": "mine", "sources": {"catalogue": settings}, "tasks": {}}, "mine.toml")


def one(**table: Any):
    return recipe_of(tables=[{"file": "p.csv", **table}])


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"prodcut": PRODUCT}, r"'tables\.0': there is no setting 'prodcut'\. Did you mean 'product'\?$"),
        ({"product": {**PRODUCT, "titel": "x"}}, r"'tables\.0\.product': .* Did you mean 'title'\?$"),
        (
            {"product": PRODUCT, "same_as": {"column": "x", "seperator": ";"}},
            r"same_as': .* Did you mean 'separator'\?$",
        ),
        ({"product": {"title": "name"}}, r"'tables\.0\.product\.id': field required"),
        ({"product": {"id": "sku", "brand": "b"}}, "a product that is described needs a title"),
        ({"product": {"id": 3, "title": "b"}}, r"product\.id': give a column or a section"),
        ({"product": "sku"}, r"product': give a section"),
        ({"product": {"id": "", "title": "b"}}, r"product\.id\.column': string should have at least 1 character"),
        ({}, "nothing is mapped"),
        ({"product": {"id": "sku"}}, "nothing is mapped"),
        ({"product": {"id": "sku"}, "attributes": {"Colour": "c"}}, "attributes need the product's title"),
        ({"relations": {"similar": "x"}}, "relations needs the product's id"),
        ({"review": {"rating": "r"}}, "review needs the product's id"),
        ({"match": {"right": "r"}}, "match needs the product's id"),
        ({"product": PRODUCT, "described_by": "esci"}, "describes products itself"),
        ({"product": PRODUCT, "namespace": "a:b"}, "'a:b' is not a name of small letters"),
        ({"product": PRODUCT, "namespace": " "}, "' ' is not a name of small letters"),
        ({"product": PRODUCT, "locale": "Britain"}, "'Britain' is not a two-letter country code"),
        ({"product": PRODUCT, "locale": {"value": "us", "column": "x"}}, "give either a value or a column"),
        ({"product": PRODUCT, "delimiter": "::"}, "delimiter': string should have at most 1 character"),
        ({"product": PRODUCT, "encoding": "utf-16"}, "files in utf-16 cannot be read; convert them to UTF-8"),
        ({"product": PRODUCT, "encoding": "utf-99"}, "there is no encoding 'utf-99'"),
        ({"product": PRODUCT, "format": "jsonl", "delimiter": ";"}, "for CSV alone"),
        ({"product": PRODUCT, "file": "stock.xlsx"}, r"the form of 'stock\.xlsx' cannot be told from its name"),
        ({"review": {"product": "p", "rating": {"column": "r", "best": 1}}}, r"the best rating \(1\) must be above"),
        (
            {"review": {"product": "p", "rating": "r", "time": {"column": "t", "format": "%!"}}},
            "does not say how a time",
        ),
        (
            {"judgement": {"query": "q", "product": "p", "label": {"column": "l", "grades": {"a": "A"}}}},
            "'E', 'S', 'C' or",
        ),
    ],
)
def test_a_description_that_makes_no_sense_is_refused_in_one_message(table: dict[str, Any], words: str):
    with pytest.raises(UserError, match=words) as refusal:
        one(**table)
    assert str(refusal.value).startswith("mine.toml, [sources.catalogue]: ")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, r"'tables': describe at least one kind of file"),
        ({"tables": []}, r"'tables': describe at least one kind of file"),
        ({"tables": 5}, r"'tables': input should be a valid tuple"),
        ({"tables": ["p.csv"]}, r"'tables\.0': give a section"),
        ({"tables": [{"file": "p.csv", "product": PRODUCT}] * 2}, r"two of them describe 'p\.csv'"),
        ({"license": "MIT", "tables": [{"file": "p.csv", "product": PRODUCT}]}, r"Did you mean 'licence'\?$"),
        ({"categories": ["x"], "tables": [{"file": "p.csv", "product": PRODUCT}]}, "chosen by name"),
        (
            {"homepage": "our shop", "tables": [{"file": "p.csv", "product": PRODUCT}]},
            "'homepage': string should match",
        ),
        ({"title": "a\nb", "tables": [{"file": "p.csv", "product": PRODUCT}]}, "'title': give one line"),
    ],
)
def test_so_is_a_source_that_makes_none(settings: dict[str, Any], words: str):
    with pytest.raises(UserError, match=words):
        recipe_of(**settings)


def test_the_files_taken_are_those_described_unless_named():
    table = {"file": "stock/p*.csv", "product": PRODUCT}
    assert recipe_of(tables=[table]).sources["catalogue"].files == ("stock/p*.csv",)
    assert recipe_of(tables=[table], files=["stock/p1.csv"]).sources["catalogue"].files == ("stock/p1.csv",)


def test_the_published_recipe_holds_the_whole_description(tmp_path: Path):
    settings = tomllib.loads(SETTINGS.read_text(encoding="utf-8"))
    recipe = recipe_of(**settings)
    (tmp_path / "recipe.toml").write_text(recipe_toml(recipe), encoding="utf-8")
    again = load_recipe(tmp_path / "recipe.toml")
    assert again == recipe
    assert again.model_dump(mode="json") == recipe.model_dump(mode="json")


def test_the_source_is_the_shops_own():
    table = {"file": "p.csv.gz", "product": PRODUCT}
    said = {"title": "Acme", "licence": "CC0-1.0", "homepage": "https://acme.example/", "redistributable": True}
    source = recipe_of(tables=[table], **said).source("catalogue")
    assert {name: getattr(source, name) for name in said} == said
    assert source.tables == ("product",)
    assert (source.files[0].format, source.files[0].delimiter) == ("csv", ",")


CARD = {
    "title": "'The kettle shop'",
    "licence": "'ours alone'",
    "homepage": "'https://shop.example'",
    "citation": "'The shop, 2025'",
    "redistributable": "true",
}
READ = {"namespace": "'kettles'", "locale": "'gb'", "category": "'Kettles'"}


def test_what_stands_on_the_card_alone_does_not_ingest_anew(tmp_path: Path) -> None:
    (tmp_path / "raw" / "catalogue").mkdir(parents=True)
    (tmp_path / "raw" / "catalogue" / "items.csv").write_text("sku,name\n1,Copper kettle\n")
    recipe = tmp_path / "shop.toml"
    recipe.write_text(
        'name = "shop"\n[sources.catalogue]\n[[sources.catalogue.tables]]\nfile = "*.csv"\n'
        'product = { id = "sku", title = "name" }\n'
    )
    machine = Machine(Store(tmp_path / "work"), EngineSettings(threads=1), jobs=1, progress=Silence())

    def kept(**settings: str) -> bool:
        overrides = [f"sources.catalogue.{name}={value}" for name, value in settings.items()]
        ingested = ingest(load_recipe(str(recipe), overrides), tmp_path / "raw", machine)
        return ingested.files[0].stage.cached

    assert (kept(), kept()) == (False, True)
    for name, value in CARD.items():
        assert kept(**{name: value}), name
    for name, value in READ.items():
        assert not kept(**{name: value}), name
    assert {*CARD, *READ, "files", "categories", "tables"} == set(CatalogueSettings.model_fields)
