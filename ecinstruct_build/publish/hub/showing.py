"""Show on a terminal what a push will do, or did."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ecinstruct_build.console import print_whole
from ecinstruct_build.publish.hub.plan import Action, Plan

_SIGNS: dict[Action, str] = {
    "add": "[green]add[/green]",
    "change": "[yellow]change[/yellow]",
    "delete": "[red]delete[/red]",
}


def render_plan(plan: Plan, console: Console) -> None:
    """Print what happens to the repository, each file, the tag and the change log."""
    if plan.work:
        print_whole(_files(plan), console)
    same = [one for one in plan.files if one.action == "unchanged"]
    for line in (*_repository(plan), f"{len(same):,} files unchanged ({sum(one.size for one in same):,} bytes)"):
        console.print(escape(line), highlight=False, soft_wrap=True)
    for line in (*_commit(plan), *_tag(plan), *plan.notes):
        console.print(escape(line), highlight=False, soft_wrap=True)
    if plan.entry:
        console.print("\nCHANGELOG.md gets:\n", highlight=False)
        console.print(escape(plan.entry), highlight=False, soft_wrap=True)


def _files(plan: Plan) -> Table:
    table = Table(title=f"Files of {escape(plan.target.repo)}", title_justify="left")
    table.add_column("", no_wrap=True)
    table.add_column("file", overflow="fold")
    table.add_column("bytes", justify="right", no_wrap=True)
    table.add_column("to send", justify="right", no_wrap=True)
    for one in plan.work:
        table.add_row(_SIGNS[one.action], escape(one.path), f"{one.size:,}", f"{one.sent:,}" if one.content else "-")
    return table


def _repository(plan: Plan) -> list[str]:
    if not plan.remote.exists:
        seen = "private" if plan.target.private else "public"
        lines = [f"create the {seen} repository {plan.url}"]
    else:
        seen = "private" if plan.remote.private else "public"
        lines = [f"the {seen} repository {plan.url} stays as it is in all else"]
    if plan.creates_branch:
        lines.append(f"create the branch {plan.target.revision}")
    return lines


def _commit(plan: Plan) -> list[str]:
    if not plan.work:
        return ["nothing to commit: all files are there already"]
    where = f" on top of {plan.remote.head[:12]}" if plan.remote.head else ""
    return [
        f"commit '{plan.message}' to {plan.target.revision}{where}: {len(plan.work):,} files, "
        f"{plan.bytes_to_send:,} bytes to send"
    ]


def _tag(plan: Plan) -> list[str]:
    if plan.tag == "create":
        return [f"create the tag {plan.target.tag}"]
    return [f"the tag {plan.target.tag} is there already"] if plan.tag else []
