"""The command that pages through a dataset."""

from pathlib import Path

from ecinstruct_build.commands.options import Dataset, Host, Open, Port, Work, asking_machine, serve_pages


def browse(
    dataset: Dataset = Path("dataset"),
    work: Work = Path("work"),
    host: Host = "127.0.0.1",
    port: Port = 8572,
    open_browser: Open = True,  # noqa: FBT002
) -> None:
    """Page through the samples by task, split, check or words, in a browser."""
    from ecinstruct_build.browsing.shelf import Shelf
    from ecinstruct_build.pipeline import LAST_BUILD, last_build
    from ecinstruct_build.reporting.findings import findings_of

    machine = asking_machine(work)
    built = last_build(machine)[0] if machine.store.recall(LAST_BUILD) else None
    shelf = Shelf(dataset, findings_of(built) if built else None)
    serve_pages(desk=None, shelf=shelf, host=host, port=port, open_browser=open_browser, path="/browse", folder=work)
