"""Where the data that comes with the package lies."""

from pathlib import Path


def packaged_folder(name: str) -> Path:
    """Return the folder of packaged data called ``name`` (``templates`` or ``recipes``).

    It stands beside this package, in a checkout as in an installation; looking there, and not along the module path,
    keeps other folders of so common a name out of it.
    """
    return Path(__file__).resolve().parent.parent / name
