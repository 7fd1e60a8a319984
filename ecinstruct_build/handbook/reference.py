"""The reference pages, written from the live schemas and registries so that they cannot fall behind."""

import inspect
from collections.abc import Iterable, Iterator

from ecinstruct_build.check import Check, CheckSettings
from ecinstruct_build.handbook.settings_table import sections_of, settings_of, settings_table
from ecinstruct_build.publish import markdown
from ecinstruct_build.publish.columns import columns_table, type_name
from ecinstruct_build.recipe import Recipe, SampleCorpora
from ecinstruct_build.registry import CHECKS, SOURCES, TASKS
from ecinstruct_build.source import FileKind, Source, SourceSettings
from ecinstruct_build.splits import PUBLISHED_SPLITS, SETTINGS
from ecinstruct_build.tables import ORIGIN, TABLES, CanonicalTable, Column
from ecinstruct_build.task import Task, TaskSettings

_OPTION_ORDERS = {"none": "none", "fixed": "lettered, always in the same order", "shuffled": "lettered, in keyed order"}


_SHARES = """\
### Shares of the sources

Of every source a task draws as many examples as all splits want together, times `oversample`, if there are so many.
Which of them then fill the splits is left to chance, so that the part of each source follows its size: a corpus of two
thousand products is hardly seen beside one of millions. `shares` says otherwise:

```toml
[tasks.attribute_value_extraction]
shares = { ae110k = 0.3, oa_mine = 0.1 } # the others have equal parts of the rest

[tasks.product_matching]
shares = "equal"
```

The shares hold in every split, among the examples that the checks and the split leave. A source that has no more gives
its part to the others, in proportion to theirs; one with a share of 0 only fills up. Shares change no draw, so that a
build with others runs from the split on; and a source that is added changes how many examples of another are taken,
but not which come first. What each source was to have, and has, stands in the build's summary, on the card and in the
report; a build notes every share that is not met, but for those of `test_ood` where nothing was drawn of the source
that is out of domain: it has no such row, or none that `ood` names. How many rows of each task and split are of which
source the card, the report and, under `sources` of every task, `manifest.json` say in any case."""


_UNMATCHED = """\
### Values that nothing matches

A source in `sources` or `shares` must be one of the recipe's and fill a table that the task draws from, and a task
whose tables have no domain column takes neither `ind` nor `ood`: a recipe that says otherwise is refused. Whether any
row has a marketplace of `locales`, or a category or attribute of `ind` and `ood`, only the data can tell. Where none
has, or where a source has no row, the build notes it at its end, and the report and, under `unmatched` of the task,
`manifest.json` say it too: which value, the nearest in spelling, and what the rows have instead."""


def reference_pages() -> dict[str, str]:
    """Return every page by file name."""
    return {
        "tables.md": tables_reference(),
        "columns.md": columns_reference(),
        "sources.md": sources_reference(),
        "tasks.md": tasks_reference(),
        "checks.md": checks_reference(),
        "recipe.md": recipe_reference(),
    }


def tables_reference() -> str:
    """Return the page of the canonical tables."""
    return _page(
        "# Canonical tables",
        "What every source fills and every task reads. Text stands in them as upstream has it.",
        *(part for table in TABLES.values() for part in _table_section(table)),
        "## Origin",
        "Every table ends with these columns, which find the raw record again.",
        _columns(ORIGIN),
    )


def columns_reference() -> str:
    """Return the page of the published rows: columns, splits, settings."""
    original = [
        (
            f"`{setting.name}`",
            ", ".join(dict.fromkeys(f"`{split}`" for split in setting.splits)),
            setting.instructions,
            setting.shots,
            ", ".join(f"`{name}`" for name in setting.published_split.values() if name) or "none",
        )
        for setting in SETTINGS
    ]
    return _page(
        "# Published rows",
        "One row is one sample. The first eight columns are ECInstruct's own, with the same names and meanings. "
        "No value is null.",
        columns_table(),
        "## Splits and settings",
        f"The `huggingface` layout has the splits {', '.join(f'`{split}`' for split in PUBLISHED_SPLITS)}. The "
        "`ecinstruct` layout has one, `train`, with all settings in it; its readers pick rows by `split`, `task` and "
        "`setting`.",
        markdown.table(("setting", "examples of", "instruction", "shots", "Hugging Face splits"), original),
    )


def sources_reference() -> str:
    """Return the page of all sources."""
    return _page("# Sources", "The corpora that there are adapters for.", *(source_page(one) for one in SOURCES))


def source_page(source: Source) -> str:
    """Return one source's section: its card, its files and what they fill."""
    if source.configure:
        settings = f"[settings](recipe.md#sources{source.name})"
        own = f"Its files, their columns and its terms stand in the recipe: [how]({source.name}.md), {settings}."
        return _page(f"## {source.name}", f"**{source.title}.** {source.summary}", own)
    again = "may be published again" if source.redistributable else "may not be published again"
    return _page(
        f"## {source.name}",
        f"**{source.title}.** {source.summary}",
        f"- Home: <{source.homepage}>\n- Licence, as stated there: {source.licence} (its text {again})\n"
        f"- Cite as: {source.citation}",
        markdown.table(("a file such as", "form", "fills"), [_file_row(kind) for kind in source.files]),
    )


def tasks_reference() -> str:
    """Return the page of all tasks with their settings."""
    return _page(
        "# Tasks",
        "What each task asks, reads and can be told in its section of a recipe, `[tasks.<name>]`.",
        "## Settings of every task",
        settings_table(settings_of(TaskSettings)),
        _SHARES,
        _UNMATCHED,
        *(task_page(one) for one in TASKS),
    )


def task_page(task: Task) -> str:
    """Return one task's section: what it asks, its template variables, and the settings that are its own."""
    common = settings_of(TaskSettings)
    own = [setting for setting in settings_of(task.settings) if setting not in common]
    variables = [(f"`{name}`", meaning) for name, meaning in task.fields.items()]
    return _page(
        f"## {task.name}",
        task.summary,
        f"- Published as: `{task.published_name}`\n- Reads: {_names(task.reads)}; draws from the sources that fill "
        f"{_names((task.primary, *task.also))}\n- {_domain_of(task)}\n- Answer: {task.answer.name}\n"
        f"- Options: {_OPTION_ORDERS[task.answer.option_order]}",
        "Template variables:",
        markdown.table(("variable", "meaning"), variables),
        *(("Settings beyond those of every task, or with another default:", settings_table(own)) if own else ()),
    )


def _domain_of(task: Task) -> str:
    """Say which column the settings ``ind`` and ``ood`` name values of."""
    if task.knows_domains:
        return f"`ind` and `ood` name: its `{task.domain_column}`"
    return "Has no domain: takes neither `ind` nor `ood`"


def checks_reference() -> str:
    """Return the page of all checks with their settings."""
    return _page(
        "# Checks",
        "A check judges examples and deletes nothing; its `action` in `[checks.<name>]` says what follows. A check "
        "that a recipe does not name runs with its defaults.",
        "## Settings of every check",
        settings_table(settings_of(CheckSettings)),
        *(check_page(one) for one in CHECKS),
    )


def check_page(check: Check) -> str:
    """Return one check's section."""
    common = settings_of(CheckSettings)
    own = [setting for setting in settings_of(check.settings) if setting not in common]
    more = ("Settings beyond those of every check, or with another default:", settings_table(own)) if own else ()
    return _page(f"## {check.name}", check.summary, *more)


def recipe_reference() -> str:
    """Return the page of the recipe's own settings."""
    return _page(
        "# Recipe",
        "A recipe is a TOML file. Any setting can be given on the command line too: `--set split.seed=7`. Settings of "
        "tasks and checks are on their own pages.",
        settings_table(settings_of(Recipe)),
        "## `[sources.<name>]`",
        settings_table(settings_of(SourceSettings)),
        *(part for one in SOURCES if one.settings is not SourceSettings for part in _source_settings(one)),
        "## `[sample_corpora]`",
        settings_table(settings_of(SampleCorpora)),
    )


def _source_settings(source: Source) -> Iterator[str]:
    """Yield what a recipe may say of a source that has settings of its own."""
    common = settings_of(SourceSettings)
    yield f"## `[sources.{source.name}]`"
    yield settings_table([setting for setting in settings_of(source.settings) if setting not in common])
    for name, model in sections_of(source.settings).items():
        yield f"### `{name}`"
        yield inspect.cleandoc(model.__doc__ or "").split("\n\n", maxsplit=1)[0].replace("`", "")
        yield settings_table(settings_of(model))


def _table_section(table: CanonicalTable) -> tuple[str, str, str]:
    return f"## {table.name}", table.row, _columns(table.columns)


def _columns(columns: Iterable[Column]) -> str:
    rows = [
        (f"`{column.name}`", f"`{type_name(column.type)}`", "no" if column.required else "yes", column.meaning)
        for column in columns
    ]
    return markdown.table(("column", "type", "may be null", "meaning"), rows)


def _file_row(kind: FileKind) -> tuple[str, str, str]:
    return f"`{kind.example}`", kind.format, _names(kind.tables)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _page(*parts: str) -> str:
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"
