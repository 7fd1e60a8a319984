"""What a recipe says of publishing."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class PublishSettings(BaseModel):
    """How a dataset goes out into the world.

    Attributes
    ----------
    restricted
        What to do where the terms of a source forbid publishing its text again: ``refuse`` to publish, or publish
        ``ids`` alone, with what it takes to rebuild the rows from one's own copy of the corpora.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    restricted: Literal["refuse", "ids"] = "refuse"
