"""Commands about sources: what they are, how to get their files, and whether what is on disk is right."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecinstruct_build.commands.options import (
    AsJson,
    LockFile,
    Quiet,
    Settings,
    listener,
    print_json,
    print_markdown,
    print_rows,
)
from ecinstruct_build.errors import UserError

if TYPE_CHECKING:
    from ecinstruct_build.fetching.plan import Wish

sources_app = typer.Typer(
    no_args_is_help=True, help="The corpora that datasets are built from: list, show, fetch and verify them."
)

RawFolder = Annotated[
    Path | None, typer.Option(help="Folder with upstream files under SOURCE/UPSTREAM-NAME: its state is shown.")
]
_NO_LOCK = Path("sources.lock.toml")


@sources_app.command("list")
def list_sources(raw: RawFolder = None, lock: LockFile = _NO_LOCK, as_json: AsJson = False) -> None:  # noqa: FBT002
    """List the corpora that there are adapters for: terms, size to fetch, what they fill and feed, state on disk.

    Below the table stands every file that is not what upstream or the lock says.
    """
    from rich.console import Console

    from ecinstruct_build.fetching.lock import Lock
    from ecinstruct_build.fetching.report import disk_words, render_faults, size_words, source_record, tasks_fed
    from ecinstruct_build.fetching.state import source_states
    from ecinstruct_build.registry import SOURCES

    entries = Lock(lock)
    states = {source.name: source_states(source, raw, entries, read="small") for source in SOURCES} if raw else {}
    if as_json:
        print_json([source_record(source, states.get(source.name), entries) for source in SOURCES])
        return
    rows = []
    for source in SOURCES:
        usual = [remote for remote in source.remotes if not remote.alternative]
        row = {
            "name": source.name,
            "licence": source.licence,
            "republish": "yes" if source.redistributable else "no",
            "to fetch": size_words(usual) if source.remotes else "no known address",
            "tables": ", ".join(source.tables),
            "tasks": ", ".join(tasks_fed(source)),
        }
        rows.append({**row, "on disk": disk_words(states[source.name])} if raw else row)
    print_rows(rows, as_json=False)
    render_faults([state for found in states.values() for state in found], Console())


@sources_app.command("show")
def show_source(
    name: Annotated[str, typer.Argument(help="A source's name.")],
    raw: RawFolder = None,
    lock: LockFile = _NO_LOCK,
    every: Annotated[bool, typer.Option("--all", help="Show other forms of the files too.")] = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Show a corpus: terms, citation, categories, files, what they fill and feed, and how they stand on disk."""
    from rich.console import Console

    from ecinstruct_build.fetching.lock import Lock
    from ecinstruct_build.fetching.report import render_files, source_record
    from ecinstruct_build.fetching.state import source_states
    from ecinstruct_build.handbook.reference import source_page
    from ecinstruct_build.registry import SOURCES

    source, entries = SOURCES.get(name), Lock(lock)
    states = source_states(source, raw, entries, read="small") if raw else None
    record = source_record(source, states, entries)
    if as_json:
        print_json(record)
        return
    print_markdown(source_page(source))
    console = Console()
    nothing = "as the recipe describes it" if source.configure else "none"
    for heading, key in (("Feeds", "tasks"), ("Categories", "categories")):
        said = ", ".join(record[key]) or nothing
        console.print(f"\n{heading}: {said}", highlight=False, soft_wrap=True)
    console.print()
    render_files(source, states, entries, console, every=every)


@sources_app.command("fetch")
def fetch_sources(
    names: Annotated[list[str] | None, typer.Argument(help="Sources; all of the recipe's if not given.")] = None,
    raw: Annotated[Path | None, typer.Option(help="Folder to put upstream files in, under SOURCE/.")] = None,
    recipe: Annotated[str | None, typer.Option(help="A recipe, whose files and categories are fetched.")] = None,
    category: Annotated[list[str] | None, typer.Option(help="Only this category's files. Repeatable.")] = None,
    file: Annotated[list[str] | None, typer.Option(help="Only files that this glob matches. Repeatable.")] = None,
    lock: LockFile = _NO_LOCK,
    relock: Annotated[  # noqa: FBT002
        bool,
        typer.Option("--relock", help="Forget what the lock says of these files; what is there or comes is right."),
    ] = False,
    parallel: Annotated[int, typer.Option(min=1, help="Files to fetch at a time.")] = 4,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and fetch nothing.")] = False,  # noqa: FBT002
    settings: Settings = None,
    quiet: Quiet = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Fetch upstream files, verify and lock them; exits with status 1 while a person must still get some by hand."""
    from rich.console import Console

    from ecinstruct_build.fetching.carry_out import carry_out
    from ecinstruct_build.fetching.carry_out import relock as plan_anew
    from ecinstruct_build.fetching.lock import Lock
    from ecinstruct_build.fetching.plan import make_plan
    from ecinstruct_build.fetching.report import by_hand_words, plan_record, render_plan

    wishes = _wishes(names or [], recipe, category or [], file or [], settings or [])
    if raw is None:
        raise UserError("Say where to put the files with --raw FOLDER (make: RAW=...).")
    entries = Lock(lock)
    loud = not quiet and not as_json
    with listener(quiet=not loud) as progress:
        look = plan_anew if relock and not dry_run else make_plan
        plan = look(wishes, raw, entries, progress)
    if loud:
        render_plan(plan, raw, Console())
    missing = plan.to_get
    record: dict[str, Any] = {"plan": plan_record(plan)}
    if not dry_run:
        with listener(quiet=not loud) as progress:
            outcome = carry_out(plan, raw, entries, progress=progress, parallel=parallel)
        record["fetched"] = [f"{one.source}/{one.file}" for one in outcome.fetched]
    if as_json:
        print_json(record)
    elif missing:
        Console(stderr=quiet).print(f"\n{by_hand_words(missing)}", markup=False, highlight=False, soft_wrap=True)
    if missing and not dry_run:
        raise typer.Exit(1)


@sources_app.command("verify")
def verify_sources(
    names: Annotated[list[str] | None, typer.Argument(help="Sources; all that have files if not given.")] = None,
    raw: Annotated[Path | None, typer.Option(help="Folder with upstream files under SOURCE/.")] = None,
    lock: LockFile = _NO_LOCK,
    quiet: Quiet = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Read every file anew and hold it against upstream's digest or the lock; exits with status 1 if one is wrong."""
    from rich.console import Console

    from ecinstruct_build.fetching.lock import Lock
    from ecinstruct_build.fetching.report import disk_words, render_states, state_record
    from ecinstruct_build.fetching.state import source_states
    from ecinstruct_build.registry import SOURCES

    if raw is None or not raw.is_dir():
        raise UserError(f"{raw} is no folder." if raw else "Say where the files are with --raw FOLDER (make: RAW=...).")
    entries = Lock(lock)
    chosen = [SOURCES.get(name) for name in names] if names else [one for one in SOURCES if (raw / one.name).is_dir()]
    with listener(quiet=quiet or as_json) as progress:
        states = [
            state
            for source in chosen
            for state in source_states(source, raw, entries, read="all", progress=progress)
            if state.state != "absent" or entries.get(source.name, state.file)
        ]
    if as_json:
        print_json([state_record(state) for state in states])
    elif not quiet:
        render_states(states, Console())
        Console().print(f"{len(states)} files: {disk_words(states)}.", highlight=False)
    if any(state.state == "wrong" for state in states):
        raise typer.Exit(1)


def _wishes(
    names: list[str], recipe: str | None, categories: list[str], globs: list[str], overrides: list[str]
) -> "list[Wish]":
    from ecinstruct_build.fetching.plan import wishes_for, wishes_of
    from ecinstruct_build.recipe import load_recipe
    from ecinstruct_build.registry import SOURCES

    if recipe is not None:
        if categories or globs:
            raise UserError("The recipe says which categories and files it takes: leave out --category and --file.")
        return wishes_of(load_recipe(recipe, overrides), names)
    if not names:
        raise UserError(
            "Say what to fetch: a recipe's files with --recipe RECIPE, or sources by name. There are: "
            f"{', '.join(SOURCES.names())}."
        )
    return wishes_for(names, categories, globs)
