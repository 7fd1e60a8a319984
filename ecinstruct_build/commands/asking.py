"""Commands that ask about what was built."""

from pathlib import Path
from typing import Annotated

import typer

from ecinstruct_build.commands.options import AsJson, Work, asking_machine, print_json
from ecinstruct_build.errors import UserError

templates_app = typer.Typer(no_args_is_help=True, help="The instructions and layouts that samples are rendered with.")


def explain(
    identity: Annotated[str, typer.Argument(help="An example id (task:hash) or a raw record (source/file:line).")],
    work: Work = Path("work"),
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Tell one sample's whole story back to the raw record, or a raw record's story forward."""
    from rich.console import Console
    from rich.markup import escape

    from ecinstruct_build.explain import explain as explain_identity
    from ecinstruct_build.explain import story_lines
    from ecinstruct_build.pipeline import last_build

    built, raw, _ = last_build(asking_machine(work))
    story = explain_identity(built, raw, identity)
    if as_json:
        print_json(story)
        return
    console = Console()
    console.rule(escape(identity))
    for heading, text in story_lines(story):
        console.print(f"[bold cyan]{escape(heading)}[/bold cyan]")
        console.print(text, markup=False, highlight=False, soft_wrap=True)


def status(work: Work = Path("work"), as_json: AsJson = False) -> None:  # noqa: FBT002
    """Show what the stage store holds and what a resumed build would go on from."""
    from rich.console import Console
    from rich.table import Table

    from ecinstruct_build.status import store_status

    rows = store_status(work)
    if as_json:
        print_json(rows)
        return
    table = Table("stage", "finished", "unfinished", "size", title=f"Stage store {work}")
    for row in rows:
        table.add_row(row["stage"], str(row["finished"]), str(row["unfinished"]), f"{row['bytes'] / 2**20:,.1f} MiB")
    Console().print(table)


@templates_app.command("preview")
def preview_templates(
    task: Annotated[str, typer.Argument(help="A task's name.")],
    count: Annotated[int, typer.Option(min=1, help="Samples to show.")] = 1,
    work: Work = Path("work"),
) -> None:
    """Render a few examples of the last build as the model would see them."""
    from rich.console import Console
    from rich.markup import escape
    from rich.panel import Panel

    from ecinstruct_build.pipeline import last_build
    from ecinstruct_build.registry import TASKS
    from ecinstruct_build.rendering.lint import preview
    from ecinstruct_build.rendering.template_set import load_templates
    from ecinstruct_build.stages.examples import read_examples

    wanted = TASKS.get(task)
    built, _, recipe = last_build(asking_machine(work))
    if task not in built.drawn:
        raise UserError(f"The last build has no task '{task}'. It has: {', '.join(built.drawn)}.")
    templates = load_templates(task, recipe.templates.folder)
    console = Console()
    for example in read_examples(built.checked.repaired[task])[:count]:
        console.print(
            Panel(
                escape(preview(wanted, templates, example, recipe.seed)), title=example.example_id, title_align="left"
            )
        )


@templates_app.command("lint")
def lint_templates(
    task: Annotated[str | None, typer.Argument(help="A task's name; all tasks if not given.")] = None,
    work: Work = Path("work"),
) -> None:
    """Check templates against the examples of the last build; exits with status 1 if something is wrong."""
    from rich.console import Console

    from ecinstruct_build.pipeline import last_build
    from ecinstruct_build.registry import TASKS
    from ecinstruct_build.rendering.lint import lint
    from ecinstruct_build.rendering.template_set import load_templates
    from ecinstruct_build.stages.examples import read_examples

    names = [TASKS.get(task).name] if task else TASKS.names()
    built, _, recipe = last_build(asking_machine(work))
    console, found = Console(), 0
    for name in names:
        examples = read_examples(built.checked.repaired[name]) if name in built.drawn else []
        findings = lint(TASKS.get(name), load_templates(name, recipe.templates.folder), examples, recipe.seed)
        found += len(findings)
        console.print(f"{name}: {len(examples):,} examples, {len(findings)} findings")
        for finding in findings:
            console.print(f"  {finding.template}: {finding.rule}: {finding.message}", markup=False)
    if found:
        raise typer.Exit(1)
