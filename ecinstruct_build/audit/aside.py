"""Audit a dataset by two processes, beside what else this one does.

What either does is imported by that one alone, when it does it. Each reads by one thread: the other has the other
processor.
"""

from collections.abc import Callable
from pathlib import Path

from ecinstruct_build.audit.limits import AuditLimits
from ecinstruct_build.audit.result import Audit
from ecinstruct_build.helper import Helper


def begin_audit(folder: Path, limits: AuditLimits, helper: Helper) -> Callable[[], Audit]:
    """Begin to audit a dataset; call what is returned for the findings, which are those of `audit_dataset`.

    The helper begins at once. When asked for the findings, this process looks for near duplicates, which is a third of
    the work and needs nothing of the rest. By then all shards are there. If the helper read them before they were (it
    failed to write some, which were then written here), this process does the rest anew.
    """
    if not helper.is_there:
        return lambda: _all(folder, limits)
    rest = helper.begin(_all_but_near, folder, limits)
    return lambda: _with_near(folder, limits, rest)


def _all(folder: Path, limits: AuditLimits) -> Audit:
    from ecinstruct_build.audit.run import audit_dataset  # noqa: PLC0415

    return audit_dataset(folder, limits)


def _all_but_near(folder: Path, limits: AuditLimits) -> Audit:
    from ecinstruct_build.audit.reading import read_published  # noqa: PLC0415
    from ecinstruct_build.audit.run import audit_without_near  # noqa: PLC0415

    return audit_without_near(read_published(folder, threads=1), limits)


def _with_near(folder: Path, limits: AuditLimits, rest: Callable[[], Audit]) -> Audit:
    from ecinstruct_build.audit.judging import with_near  # noqa: PLC0415
    from ecinstruct_build.audit.near import COLUMNS, near_duplicates  # noqa: PLC0415
    from ecinstruct_build.audit.reading import read_published  # noqa: PLC0415

    published = read_published(folder, COLUMNS, threads=1)
    near = near_duplicates(published, limits.jaccard)
    audit = rest()
    if audit.rows != len(published.ids):
        audit = _all_but_near(folder, limits)
    return with_near(audit, near, limits)
