"""Check, wrapped for the store: examples are mended, measured and judged, and one policy says which go on.

First the checks that repair, one after the other; then, on what they mended, those that judge a task by itself; last
those that judge the whole dataset at once, on the examples that the others let pass. Beside them stand the late checks:
no other check and no placement in splits heeds what they say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ecinstruct_build.check import VERDICT_SCHEMA, Action, Check, CheckSettings, Evidence, Verdict, outcome
from ecinstruct_build.errors import UserError
from ecinstruct_build.example import Example, examples_to_table
from ecinstruct_build.provenance import code_digest, own_digest
from ecinstruct_build.registry import CHECKS
from ecinstruct_build.stages.examples import read_examples
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Stage

Policy = Mapping[str, CheckSettings]
"""Settings by check."""

_ROW_ORDER = ("example_id", "check", "reason", "peer", "detail")
"""The columns that verdicts are ordered by."""


@dataclass(frozen=True)
class Checked:
    """The examples of all tasks, and the checks' word on them.

    Attributes
    ----------
    repaired
        By task: every example that was drawn, mended where a check could, and what there was to mend.
    judged
        By task: the verdicts of the checks that judge a task by itself.
    measured
        By check and task: what the check measured.
    together
        The verdicts of the checks that judge the whole dataset.
    late
        By task: the verdicts of the late checks.
    """

    repaired: Mapping[str, Stage]
    judged: Mapping[str, Stage]
    measured: Mapping[str, Mapping[str, Stage]]
    together: Stage
    late: Mapping[str, Stage]

    @property
    def stages(self) -> list[Stage]:
        """All of them, in the order in which they ran."""
        return [*self.before_split, *self.late.values()]

    @property
    def before_split(self) -> list[Stage]:
        """Those that say which examples the splits are made of."""
        measured = [stage for by_task in self.measured.values() for stage in by_task.values()]
        return [*self.repaired.values(), *self.judged.values(), *measured, self.together]

    def verdict_table(self, task: str) -> pa.Table:
        """Return the verdicts on a task's examples, as rows of `VERDICT_SCHEMA`, ordered by example_id."""
        if task not in self._tables:
            table = pa.concat_tables([self._early(task), _verdicts(self.late[task])])
            self._tables[task] = table.sort_by([(column, "ascending") for column in _ROW_ORDER])
        return self._tables[task]

    def verdicts(self, task: str) -> list[dict[str, Any]]:
        """Return the rows of `verdict_table`."""
        return list(self.verdict_table(task).to_pylist())

    def rejected_late(self) -> set[str]:
        """Return the ids of examples that go on to the split and are left out when it stands."""
        return {example_id for stage in self.late.values() for example_id in _rejected(_verdicts(stage))}

    def accepted(self, task: str, *, spare_options: bool = True) -> list[Example]:
        """Return the examples of a task that go on to the split, as mended, ordered by example_id."""
        rejected = _rejected(self._early(task))
        examples = read_examples(self.repaired[task], spare_options=spare_options)
        return [example for example in examples if example.example_id not in rejected]

    def measures(self, check: str, only: Sequence[str]) -> pa.Table:
        """Return what a check measured of some examples of any tasks."""
        tables = [stage.table("measures") for stage in self.measured[check].values()]
        table = pa.concat_tables(tables)
        return table.filter(pc.is_in(table["example_id"], value_set=pa.array(sorted(only), pa.string())))

    def _early(self, task: str) -> pa.Table:
        """Return the verdicts on a task's examples that say which of them go on to the split."""
        of_task = self._together.filter(pc.starts_with(self._together["example_id"], f"{task}:"))
        return pa.concat_tables([_verdicts(self.repaired[task]), _verdicts(self.judged[task]), of_task])

    @cached_property
    def _tables(self) -> dict[str, pa.Table]:
        return {}  # by task: the books and the report both ask for them

    @cached_property
    def _together(self) -> pa.Table:
        return _verdicts(self.together)


def check(drawn: Mapping[str, Stage], policy: Policy, seed: int, machine: Machine) -> Checked:
    """Let every check that is not off mend and judge the examples of all tasks."""
    active = {CHECKS.get(name): settings for name, settings in sorted(policy.items()) if settings.action != "off"}
    mending = {one.name: active[one] for one in active if one.repair}
    judges = sorted((one for one in active if not one.repair), key=lambda one: one.last)
    alone = {one.name: active[one] for one in judges if one.scope == "task" and not one.late}
    late = {one.name: active[one] for one in judges if one.scope == "task" and one.late}
    overall = {one.name: active[one] for one in judges if one.scope == "dataset"}
    repaired = {task: _repair(task, stage, mending, seed, machine) for task, stage in drawn.items()}
    judged = {task: _judge(task, task, stage, alone, seed=seed, machine=machine) for task, stage in repaired.items()}
    measured = {
        name: {task: _measure(task, stage, name, settings, machine) for task, stage in repaired.items()}
        for name, settings in overall.items()
        if CHECKS.get(name).measure
    }
    together = _judge_together(repaired, judged, measured, overall, seed=seed, machine=machine)
    judged_late = {
        task: _judge(task, f"{task}.late", stage, late, seed=seed, machine=machine) for task, stage in repaired.items()
    }
    return Checked(repaired, judged, measured, together, judged_late)


def _repair(task: str, drawn: Stage, policy: Policy, seed: int, machine: Machine) -> Stage:
    """Let the checks that repair mend a task's examples, each what the one before it left."""

    def produce(out: Path, _scratch: Path) -> Mapping[str, Any]:
        examples, rows = read_examples(drawn), []
        with machine.progress.track(f"repair {task}", len(policy)) as advance:
            for name, settings in policy.items():
                verdicts = CHECKS.get(name).judge(examples, settings, Evidence(seed))
                found = [_verdict_row(name, settings.action, verdict) for verdict in verdicts]
                examples = _mended(examples, found, CHECKS.get(name), settings)
                rows += found
                advance(1)
        pq.write_table(examples_to_table(examples), out / "examples.parquet", compression="zstd")
        _write_verdicts(rows, out)
        return {}

    inputs = {"examples": drawn.digest, **_policy_inputs(policy, seed, machine)}
    return machine.store.run("repair", task, inputs, produce)


def _mended(
    examples: Sequence[Example], found: Sequence[Mapping[str, Any]], mender: Check, settings: CheckSettings
) -> list[Example]:
    wanted = {row["example_id"] for row in found if row["action"] == "repair"}
    if not wanted or mender.repair is None:
        return list(examples)
    return [mender.repair(one, settings) if one.example_id in wanted else one for one in examples]


def _judge(task: str, name: str, repaired: Stage, policy: Policy, *, seed: int, machine: Machine) -> Stage:
    """Let the checks that judge a task by itself judge its examples."""

    def produce(out: Path, _scratch: Path) -> Mapping[str, Any]:
        examples, rows = read_examples(repaired, spare_options=False), []
        with machine.progress.track(f"check {task}", len(policy)) as advance:
            for check_name, settings in policy.items():
                verdicts = CHECKS.get(check_name).judge(examples, settings, Evidence(seed))
                rows += [_verdict_row(check_name, settings.action, verdict) for verdict in verdicts]
                advance(1)
        _write_verdicts(rows, out)
        return {}

    inputs = {"examples": repaired.digest, **_policy_inputs(policy, seed, machine)}
    return machine.store.run("check", name, inputs, produce)


def _measure(task: str, repaired: Stage, name: str, settings: CheckSettings, machine: Machine) -> Stage:
    """Let a check measure a task's examples, whatever its thresholds are."""
    measure = CHECKS.get(name).measure

    def produce(out: Path, _scratch: Path) -> Mapping[str, Any]:
        with machine.progress.track(f"measure {task}"):
            examples = read_examples(repaired, spare_options=False)
            table = measure(examples, settings) if measure else pa.table({"example_id": pa.array([], pa.string())})
        pq.write_table(table, out / "measures.parquet", compression="zstd")
        return {}

    inputs = {
        "examples": repaired.digest,
        "settings": settings.model_dump(mode="json", include=set(CHECKS.get(name).measured_by)),
        "code": [code_digest(CHECKS.module(name).__name__), own_digest(__name__)],
    }
    return machine.store.run("measure", f"{task}.{name}", inputs, produce)


def _judge_together(
    repaired: Mapping[str, Stage],
    judged: Mapping[str, Stage],
    measured: Mapping[str, Mapping[str, Stage]],
    policy: Policy,
    *,
    seed: int,
    machine: Machine,
) -> Stage:
    """Let the checks that judge the whole dataset judge the examples that passed all others."""

    def produce(out: Path, _scratch: Path) -> Mapping[str, Any]:
        passed, rows = _passed(repaired, judged), []
        with machine.progress.track("check all tasks", len(policy)) as advance:
            for name, settings in policy.items():
                tables = [stage.table("measures") for stage in measured.get(name, {}).values()]
                measures = pa.concat_tables(tables) if tables else None
                if measures is not None:
                    ids = pa.array([example.example_id for example in passed], pa.string())
                    measures = measures.filter(pc.is_in(measures["example_id"], value_set=ids))
                verdicts = CHECKS.get(name).judge(passed, settings, Evidence(seed, measures))
                found = [_verdict_row(name, settings.action, verdict) for verdict in verdicts]
                gone = {row["example_id"] for row in found if row["action"] == "reject"}
                passed = [example for example in passed if example.example_id not in gone]
                rows += found
                advance(1)
        _write_verdicts(rows, out)
        return {}

    inputs = {
        "examples": {task: stage.digest for task, stage in repaired.items()},
        "verdicts": {task: stage.digest for task, stage in judged.items()},
        "measures": {name: [stage.digest for stage in stages.values()] for name, stages in measured.items()},
        **_policy_inputs(policy, seed, machine),
    }
    return machine.store.run("check", "all tasks", inputs, produce)


def _passed(repaired: Mapping[str, Stage], judged: Mapping[str, Stage]) -> list[Example]:
    passed: list[Example] = []
    for task, stage in repaired.items():
        rejected = _rejected(pa.concat_tables([_verdicts(stage), _verdicts(judged[task])]))
        examples = read_examples(stage, spare_options=False)
        passed += [example for example in examples if example.example_id not in rejected]
    return passed


def _policy_inputs(policy: Policy, seed: int, machine: Machine) -> dict[str, Any]:
    files = [path for name, settings in policy.items() for path in CHECKS.get(name).reads(settings)]
    if missing := [str(path) for path in files if not path.is_file()]:
        raise UserError(f"A check needs a file that is not there: {', '.join(missing)}. See [checks] in the recipe.")
    return {
        "seed": seed,
        "checks": {name: settings.model_dump(mode="json") for name, settings in policy.items()},
        "files": [machine.store.file_digest(path) for path in files],
        "code": [{name: code_digest(CHECKS.module(name).__name__) for name in policy}, own_digest(__name__)],
    }


def _verdict_row(check_name: str, action: Action, verdict: Verdict) -> dict[str, Any]:
    return {
        "example_id": verdict.example_id,
        "check": check_name,
        "action": outcome(action, verdict.remedy),
        "reason": verdict.reason,
        "score": float(verdict.score),
        "peer": verdict.peer,
        "detail": verdict.detail,
    }


def _write_verdicts(rows: Sequence[Mapping[str, Any]], out: Path) -> None:
    table = pa.Table.from_pylist(sorted(rows, key=_row_order), schema=VERDICT_SCHEMA)
    pq.write_table(table, out / "verdicts.parquet", compression="zstd")


def _verdicts(stage: Stage) -> pa.Table:
    return stage.table("verdicts")


def _row_order(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(row[column] for column in _ROW_ORDER)


def _rejected(verdicts: pa.Table) -> set[str]:
    return set(verdicts["example_id"].filter(pc.equal(verdicts["action"], "reject")).to_pylist())
