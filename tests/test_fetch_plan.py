"""A plan holds what a recipe takes and is not there, and nothing else."""

import gzip
from fnmatch import fnmatch
from pathlib import Path

import pytest
from fault_server import FaultServer
from hypothesis import given
from hypothesis import strategies as st
from served_sources import Bench, questions, remotes_of

from ecinstruct_build.errors import UserError
from ecinstruct_build.fetching.lock import Lock
from ecinstruct_build.fetching.plan import Wish, make_plan, needed_remotes, wishes_of
from ecinstruct_build.recipe import load_recipe
from ecinstruct_build.registry import SOURCES
from ecinstruct_build.source import Batch, FileKind, Remote, Source, SourceSettings

CATEGORIES = ("Books", "Music", "Toys")
GLOBS = ("*", "*Books*", "full/*", "*.csv", "core/Toys.jsonl", "full/Music.jsonl", "meta.jsonl", "*nothing*")


def _convert(_: Batch) -> dict[str, object]:
    return {}


def shop(remotes: tuple[Remote, ...]) -> Source:
    return Source(
        name="shop",
        title="Shop",
        summary="A made-up shop.",
        homepage="https://example.org",
        licence="none",
        redistributable=True,
        citation="none",
        files=(
            FileKind(r"(?:.*/)?(?P<category>Books|Music|Toys)\.(?:jsonl|csv)", "jsonl", dict, (), _convert, "x"),
            FileKind(r"(?:.*/)?meta\.jsonl", "jsonl", dict, (), _convert, "meta.jsonl"),
        ),
        remotes=remotes,
    )


def _remotes() -> tuple[Remote, ...]:
    address = ("https://example.org/file",)
    return (
        *(Remote(f"core/{name}.jsonl", address) for name in CATEGORIES),
        Remote("meta.jsonl", address),
        Remote("both.zip", address, holds=(("a", "core/deep/Books.csv"), ("b", "core/deep/Music.csv"))),
        *(Remote(f"full/{name}.jsonl", address, alternative=True) for name in CATEGORIES),
        *(Remote(f"ratings/{name}.csv", address, alternative=True) for name in CATEGORIES),
    )


SETTINGS = st.builds(
    SourceSettings,
    files=st.lists(st.sampled_from(GLOBS), min_size=1, max_size=4).map(tuple),
    categories=st.lists(st.sampled_from(CATEGORIES), max_size=2).map(tuple),
)


def takes(settings: SourceSettings, file: str) -> bool:
    category = next((name for name in CATEGORIES if name in file), "")
    in_category = not settings.categories or not category or category in settings.categories
    return in_category and any(fnmatch(file, glob) for glob in settings.files)


@given(SETTINGS)
def test_needed_is_every_usual_file_that_the_settings_take_and_none_of_another_category(
    settings: SourceSettings,
) -> None:
    needed = needed_remotes(shop(_remotes()), settings)
    files = {file for remote, files in needed for file in files}
    assert all(takes(settings, file) for file in files)
    usual = {file for remote in _remotes() if not remote.alternative for file in remote.yields}
    assert files & usual == {file for file in usual if takes(settings, file)}


@given(SETTINGS)
def test_an_alternative_is_needed_only_where_a_glob_names_nothing_usual(settings: SourceSettings) -> None:
    usual = [file for remote in _remotes() if not remote.alternative for file in remote.yields if takes(settings, file)]
    for remote, _ in needed_remotes(shop(_remotes()), settings):
        if remote.alternative:
            naming = [glob for glob in settings.files if fnmatch(remote.file, glob)]
            assert any(glob != "*" and not any(fnmatch(file, glob) for file in usual) for glob in naming)


@given(SETTINGS, st.permutations(_remotes()), st.randoms())
def test_the_order_of_remotes_globs_and_categories_does_not_matter(settings, remotes, random) -> None:
    files, categories = list(settings.files), list(settings.categories)
    random.shuffle(files)
    random.shuffle(categories)
    again = SourceSettings(files=tuple(files), categories=tuple(categories))
    assert needed_remotes(shop(tuple(remotes)), again) == needed_remotes(shop(_remotes()), settings)


def needed(name: str, *globs: str, categories: tuple[str, ...] = ("Gift_Cards",)) -> list[str]:
    settings = SourceSettings(files=globs or ("*",), categories=categories)
    return [remote.file for remote, _ in needed_remotes(SOURCES.get(name), settings)]


def test_of_the_forms_of_a_category_the_usual_ones_are_fetched_unless_another_is_named() -> None:
    core, metadata = "categoryFilesSmall/Gift_Cards_5.json.gz", "metaFiles2/meta_Gift_Cards.json.gz"
    name = "amazon_reviews_2018"
    assert needed(name) == [core, metadata]
    assert needed(name, "*Gift_Cards*") == [core, metadata]
    assert needed(name, "*.csv") == ["categoryFilesSmall/Gift_Cards.csv"]
    assert needed(name, "categoryFiles/*") == ["categoryFiles/Gift_Cards.json.gz"]
    assert needed(name, "*", "metaFiles/meta_Gift_Cards.json.gz") == [
        core,
        "metaFiles/meta_Gift_Cards.json.gz",
        metadata,
    ]
    assert len(needed(name, categories=())) == 2 * 29


@pytest.mark.parametrize("name", SOURCES.names())
def test_every_remote_can_be_had_and_yields_files_that_its_source_can_read(name: str) -> None:
    source = SOURCES.get(name)
    yields = [file for remote in source.remotes for file in remote.yields]
    assert len(yields) == len(set(yields))
    assert [file for file in yields if source.kind_of(file) is None] == []
    for remote in source.remotes:
        assert remote.urls or remote.steps
        assert all(url.startswith(("https://", "hf://datasets/")) for url in remote.urls)
        assert remote.sha256 is None or (len(remote.sha256) == 64 and set(remote.sha256) <= set("0123456789abcdef"))
        assert remote.size is None or remote.size > 0


def test_a_packaged_recipe_needs_only_the_categories_that_it_names(tmp_path: Path) -> None:
    wishes = wishes_of(load_recipe("small"), ["amazon_reviews_2018"])
    plan = make_plan(wishes, tmp_path, Lock(tmp_path / "lock"))
    assert {item.source.name for item in plan.items} == {"amazon_reviews_2018"}
    small = ("AMAZON_FASHION", "Appliances", "Gift_Cards", "Magazine_Subscriptions")
    assert all(any(name in item.remote.file for name in small) for item in plan.items)
    assert plan.to_fetch == list(plan.items) != []


def test_a_source_that_the_recipe_does_not_have_is_an_error() -> None:
    with pytest.raises(UserError, match=r"no source 'escii'.*Did you mean 'esci'"):
        wishes_of(load_recipe("sample"), ["escii"])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"categories": ("Gift_Card",)}, "no category 'Gift_Card'.*Did you mean 'Gift_Cards'"),
        ({"files": ("*Gift_Kards*",)}, r"No upstream file .* is '\*Gift_Kards\*'"),
    ],
)
def test_what_names_nothing_is_an_error(settings: dict, words: str, tmp_path: Path) -> None:
    wish = Wish(SOURCES.get("amazon_reviews_2018"), SourceSettings(**settings))
    with pytest.raises(UserError, match=words):
        make_plan([wish], tmp_path, Lock(tmp_path / "lock"))


def test_a_source_of_which_no_address_is_known_is_left_to_its_owner(tmp_path: Path) -> None:
    plan = make_plan([Wish(shop(()), SourceSettings(files=("shop.csv",)))], tmp_path, Lock(tmp_path / "lock"))
    assert (plan.items, plan.own) == ((), ("shop",))


@pytest.fixture
def bench(server: FaultServer, tmp_path: Path) -> Bench:
    files = {"train-qar.jsonl": questions("Does it float?"), "val-qar.jsonl": questions("Is it red?")}
    source = SOURCES.get("amazonqa")
    served = Source(**{**source.__dict__, "remotes": remotes_of(server, "amazonqa", files)})
    return Bench(served, tmp_path / "raw", tmp_path / "sources.lock.toml")


def test_what_is_there_and_right_is_not_asked_for_again(bench: Bench, server: FaultServer) -> None:
    assert len(bench.fetch().fetched) == 2
    asked = len(server.log)
    assert [item.remote.file for item in bench.plan().to_fetch] == []
    assert bench.fetch().fetched == ()
    assert len(server.log) == asked
    bench.path("val-qar.jsonl").unlink()
    assert [one.file for one in bench.fetch().fetched] == ["val-qar.jsonl"]


@pytest.mark.parametrize("place", ["mine/train-qar.jsonl", "train-qar.jsonl.gz"])
def test_a_file_in_another_folder_or_packed_is_not_fetched_a_second_time(bench: Bench, place: str) -> None:
    data = questions("Does it float?")
    bench.put(place, gzip.compress(data) if place.endswith(".gz") else data)
    assert [item.remote.file for item in bench.plan().to_fetch] == ["val-qar.jsonl"]
    bench.fetch()
    assert bench.lock.get("amazonqa", place) is not None
    assert bench.lock.get("amazonqa", "train-qar.jsonl") is None


def test_looking_leaves_nothing_behind(bench: Bench) -> None:
    bench.put("train-qar.jsonl", questions("Does it float?"))
    bench.plan()
    assert sorted(path.name for path in bench.raw.iterdir()) == ["amazonqa"]
    assert not bench.lock_path.exists()
