"""What the checks of a finished build found, for those who browse it."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from ecinstruct_build.browsing.findings import Findings
from ecinstruct_build.example import EXAMPLE_SCHEMA
from ecinstruct_build.stages.built import Built

_SHOWN = [name for name in EXAMPLE_SCHEMA.names if name != "spare_options"]


def findings_of(built: Built) -> Findings:
    """Return the verdicts of a build and its examples as the checks left them: what they mask is shown to nobody."""

    def examples(task: str, ids: Sequence[str] | None) -> pa.Table:
        table = built.checked.repaired[task].table("examples", _SHOWN)
        if ids is None:
            return table
        return table.filter(pc.is_in(table["example_id"], value_set=pa.array(sorted(set(ids)), pa.string())))

    return Findings(tuple(built.checked.repaired), built.checked.verdict_table, examples)
