"""What a build may use of the machine, none of which changes a byte of its result."""

from dataclasses import dataclass

from ecinstruct_build.engine import EngineSettings
from ecinstruct_build.progress import Progress
from ecinstruct_build.store import Store


@dataclass(frozen=True)
class Machine:
    """Store, engine, workers and listener of a build.

    Attributes
    ----------
    store
        Where stages are kept.
    engine
        Which relational engine runs, and how.
    jobs
        Worker processes.
    progress
        Who listens.
    """

    store: Store
    engine: EngineSettings
    jobs: int
    progress: Progress
