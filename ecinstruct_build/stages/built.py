"""The stages of a finished build."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ecinstruct_build.stages.checks import Checked
from ecinstruct_build.stages.corpora import IngestedFile, stages_of
from ecinstruct_build.stages.frozen import Frozen
from ecinstruct_build.store import Stage


@dataclass(frozen=True)
class Built:
    """Every stage up to the rendered samples; mappings are by task.

    Attributes
    ----------
    files
        Upstream files, ingested.
    drawn
        Examples.
    checked
        The examples as the checks mended them, and their verdicts.
    worker_bytes
        Memory that the worker processes of ingest held together at their largest.
    families
        Products joined into families.
    lookalikes, web, communities
        Accepted examples that are too alike for two splits, what each example stands on, and what of that belongs
        together.
    frozen
        Test rows that are kept from an earlier build, or None.
    assigned
        Splits of all accepted examples.
    rendered
        Samples.
    """

    files: Sequence[IngestedFile]
    drawn: Mapping[str, Stage]
    checked: Checked
    worker_bytes: int
    families: Stage
    lookalikes: Stage
    web: Stage
    communities: Stage
    frozen: Frozen | None
    assigned: Stage
    rendered: Mapping[str, Stage]

    @property
    def stages(self) -> list[Stage]:
        """All of them, in the order of the corridor."""
        return [
            *stages_of(self.files),
            *self.drawn.values(),
            *self.checked.stages,
            self.families,
            self.lookalikes,
            self.web,
            self.communities,
            *((self.frozen.rows, self.frozen.held) if self.frozen else ()),
            self.assigned,
            *self.rendered.values(),
        ]
