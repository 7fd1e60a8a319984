"""Tell of columns that a recipe names and that none of the files has that may have them."""

from collections import defaultdict
from collections.abc import Sequence

from ecinstruct_build.progress import Progress
from ecinstruct_build.stages.corpora import IngestedFile


def note_unseen_columns(files: Sequence[IngestedFile], progress: Progress) -> None:
    """Note each column that its files may lack where all of them lack it: it may be misspelt."""
    by_kind = defaultdict[tuple[str, str], list[dict[str, str]]](list)
    for file in files:
        by_kind[file.source, file.kind.example].append(file.stage.facts["unseen"][file.file])
    for (source, example), unseen in by_kind.items():
        for column in unseen[0]:
            if all(column in of_file for of_file in unseen):
                meant = next(filter(None, (of_file[column] for of_file in unseen)), "")
                progress.note(f"no such column: {source}/{example} has no '{column}'.{meant}")
