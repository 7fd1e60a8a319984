"""The corpora of a finished dataset, as its manifest says that they were configured."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ecinstruct_build.errors import UserError
from ecinstruct_build.registry import SOURCES, Registry
from ecinstruct_build.source import Source


def source_of(name: str, manifest: Mapping[str, Any], sources: Registry[Source] = SOURCES) -> Source:
    """Return a corpus of a dataset; one that recipes describe, as the dataset's recipe does.

    Parameters
    ----------
    name
        The adapter's name.
    manifest
        ``recipe`` is read.
    sources
        Where the cards of the corpora are.

    Raises
    ------
    UserError
        If the recipe's settings are those of another version.
    """
    source = sources.get(name)
    if source.configure is None:
        return source
    try:
        return source.configured(source.settings.model_validate(manifest["recipe"]["sources"][name]))
    except (KeyError, ValidationError) as error:
        raise UserError(
            f"The dataset's manifest.json does not describe the source '{name}' as this version does. Build it again."
        ) from error
