"""Values of a task's settings that nothing matches are told, with what there is instead."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from building import small_recipe
from handmade import Row, opened, table_rows
from publish_rows import manifest
from report_data import report_data
from rich.console import Console
from tiny_reviews import SOURCE, TASK, machine_at, quota, recipe_of, review, write_reviews

from ecinstruct_build.accounts import manifest_of
from ecinstruct_build.drawing.unmatched import unmatched
from ecinstruct_build.errors import UserError
from ecinstruct_build.pipeline import run_stages
from ecinstruct_build.progress import Silence
from ecinstruct_build.registry import TASKS
from ecinstruct_build.reporting.page.findings import findings
from ecinstruct_build.shortfall import judge_shortfall
from ecinstruct_build.summary import render_summary


class Noting(Silence):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)


def bought(source: str, locale: str, category: str | None) -> Row:
    return {
        "review_id": f"{source}{locale}{category}",
        "product_id": "asin:1",
        "user_id": "U1",
        "rating": 5.0,
        "timestamp": 1,
        "source": source,
        "locale": locale,
        "category": category,
    }


REVIEWS = [
    bought("north", "us", "Tools"),
    bought("north", "us", None),
    bought("north", "gb", "Toys"),
    bought("south", "de", "Garden"),
]


def told(folder: Path, name: str, world: Mapping[str, list[Row]], **said: Any) -> list[str]:
    task = TASKS.get(name)
    with opened(folder, {table: table_rows(table, rows) for table, rows in world.items()}) as tables:
        return unmatched(task, task.settings(**said), tables)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, []),
        ({"ood": ("Tools",), "ind": ("Toys", ""), "locales": ("us", "gb"), "sources": ("north",)}, []),
        ({"ood": ("Tooles",)}, ["ood: no row has the category 'Tooles'. Did you mean 'Tools'? The rows have Garden, "]),
        ({"ind": ("Shoes", "Toys")}, ["ind: no row has the category 'Shoes'. The rows have Garden, Tools, Toys."]),
        ({"locales": ("uk", "us")}, ["locales: no row has the locale 'uk'. The rows have de, gb, us."]),
        ({"sources": ("west",), "ood": ("Nope",)}, ["sources: no row has the source 'west'. The rows have north, sou"]),
        ({"sources": ("south",), "locales": ("us",)}, ["locales: no row has the locale 'us'. The rows have de."]),
        ({"locales": ("de",), "ood": ("Toys",)}, ["ood: no row has the category 'Toys'. The rows have Garden."]),
    ],
)
def test_what_no_row_has_is_told_with_what_there_is(tmp_path: Path, said: Any, expected: list[str]) -> None:
    found = told(tmp_path, TASK, {"review": REVIEWS}, **said)
    assert len(found) == len(expected)
    assert all(line.startswith(start) for line, start in zip(found, expected, strict=True)), found


def test_the_domain_of_a_task_may_be_another_column_or_in_one_table_of_two(tmp_path: Path) -> None:
    labels = [{"product_id": "asin:1", "attribute": f"A{number:02}", "source": "north"} for number in range(15)]
    (line,) = told(tmp_path, "attribute_value_extraction", {"attribute": labels}, ood=("A00", "A 3"))
    assert line.endswith(" A10, A11 and 3 more.")
    assert line.startswith("ood: no row has the attribute 'A 3'. Did you mean 'A")
    visits = [{"session_id": "1", "product_ids": ["asin:1"], "locale": "jp", "source": "east"}]
    world = {"review": REVIEWS, "session": visits}
    said = {"sources": ("east", "south"), "locales": ("jp", "de", "us"), "ood": ("Tools", "Garden")}
    assert told(tmp_path, "sequential_recommendation", world, **said) == [
        "locales: no row has the locale 'us'. The rows have de, jp.",
        "ood: no row has the category 'Tools'. The rows have Garden.",
    ]
    assert told(tmp_path, TASK, {}, ood=("Tools",), locales=("us",)) == []


def test_a_build_tells_it_at_its_end_and_in_the_books(tmp_path: Path) -> None:
    raw, machine = write_reviews(tmp_path, [review(number) for number in range(40)]), machine_at(tmp_path)
    misspelt = f"tasks.{TASK}.ood=['Electronic']"
    recipe = recipe_of(tmp_path, *quota(train=10, test=2, test_ood=2), misspelt)
    line = "ood: no row has the category 'Electronic'. Did you mean 'Electronics'? The rows have Electronics."
    for _ in range(2):  # also where the draw was in the store
        books = manifest_of(recipe, run_stages(recipe, raw, machine), machine)
        assert books["tasks"][TASK]["unmatched"] == [line]
    listener = Noting()
    judge_shortfall(recipe, books, listener)
    assert listener.notes[0] == f"nothing matches: [tasks.{TASK}] {line}"

    strict = recipe_of(tmp_path, "limits.shortfall='error'", *quota(train=10), misspelt)
    with pytest.raises(UserError, match=r"Quotas cannot be met: .* Did you mean 'Electronics'"):
        judge_shortfall(strict, books, Silence())
    nowhere = recipe_of(tmp_path, *quota(train=10), f"tasks.{TASK}.locales=['uk']")
    with pytest.raises(UserError, match=r"no example at all.* no row has the locale 'uk'\. The rows have us\."):
        judge_shortfall(nowhere, manifest_of(nowhere, run_stages(nowhere, raw, machine), machine), Silence())


def test_the_summary_and_the_report_show_it() -> None:
    books, console = manifest([]), Console(file=io.StringIO(), width=200)
    books["tasks"]["product_matching"]["unmatched"] = ["locales: no row has the locale 'uk'."]
    render_summary(books, console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "Nothing matches: [tasks.product_matching] locales: no row has the locale 'uk'." in shown
    texts = [one.text for one in findings(report_data("kettle")) if one.state == "bad"]
    assert any(text.endswith("ood: no row has the category 'kettle'.") for text in texts)


def test_a_source_that_can_feed_no_row_is_refused_before_the_build(tmp_path: Path) -> None:
    with pytest.raises(
        UserError,
        match=r"\[tasks\.product_matching\]: source 'amazonqa' fills no table that the task draws from \(match\)\. "
        r"Of the recipe's sources these do: amazon_google\.$",
    ):
        small_recipe("tasks.product_matching.sources=['amazonqa']")
    with pytest.raises(UserError, match=r"sentiment_analysis\]: source 'esci' fills no table"):
        small_recipe("tasks.sentiment_analysis.shares={esci=0.5}")
    assert recipe_of(tmp_path, f"tasks.sequential_recommendation.sources=['{SOURCE}']")


@pytest.mark.parametrize("setting", ["ind", "ood"])
@pytest.mark.parametrize("task", ["product_matching", "query_product_ranking"])
def test_a_domain_of_a_task_without_one_is_refused_before_the_build(task: str, setting: str) -> None:
    with pytest.raises(UserError, match=rf"{task}\]: '{setting}' can name nothing: .* has no category"):
        small_recipe(f"tasks.{task}.{setting}=['Toys']")
