"""What to build: a TOML recipe as typed, validated objects."""

import tomllib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, ValidationError

from ecinstruct_build.audit.limits import AuditLimits
from ecinstruct_build.check import CheckSettings
from ecinstruct_build.errors import UserError, did_you_mean
from ecinstruct_build.packaged import packaged_folder
from ecinstruct_build.publish.settings import PublishSettings
from ecinstruct_build.registry import CHECKS, SOURCES, TASKS
from ecinstruct_build.review.settings import ReviewSettings
from ecinstruct_build.source import Source, SourceSettings
from ecinstruct_build.splits import Layout, Split
from ecinstruct_build.task import Task, TaskSettings

Model = TypeVar("Model", bound=BaseModel)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SampleCorpora(_Section):
    """Generated corpora to build from where no folder of raw files is given.

    Attributes
    ----------
    scale
        Size; 1 is about 20,000 reviews.
    seed
        Seed of the generated world.
    """

    scale: float = Field(default=1.0, gt=0)
    seed: int = 0


class FamilySettings(_Section):
    """When two products are one: the splits keep families apart.

    Attributes
    ----------
    similarity
        Jaccard similarity of the words of two titles of one brand from which on the products are one family.
    variants
        Whether titles that differ only in size, colour or quantity are one family.
    """

    similarity: float = Field(default=0.9, gt=0, le=1)
    variants: bool = True


class SplitSettings(_Section):
    """How examples are assigned to splits.

    Attributes
    ----------
    seed
        Seed of the assignment; null = the recipe's seed.
    train, validation, test
        Weights of the splits; all 0 = the parts that they usually have in the quotas of a task (the median of those
        that divide theirs), however large each is. Where only some are 0, these splits stay empty: no task may have a
        quota for them.
    similarity
        Jaccard similarity of the words of two examples from which on they may not stand in two splits.
    freeze
        Folder of an earlier build's dataset whose validation and test rows are kept as they are: all new examples
        that share nothing with them go to training.
    """

    seed: int | None = None
    train: float = Field(default=0.0, ge=0)
    validation: float = Field(default=0.0, ge=0)
    test: float = Field(default=0.0, ge=0)
    similarity: float = Field(default=0.7, gt=0, le=1)
    freeze: Path | None = None


class Limits(_Section):
    """When a build stops rather than goes on.

    Attributes
    ----------
    quarantined_share
        Largest share of malformed records in one file.
    shortfall
        What to do when a quota cannot be met: ``report`` it in numbers, or make it an ``error``.
    """

    quarantined_share: float = Field(default=0.05, ge=0, le=1)
    shortfall: Literal["report", "error"] = "report"


class TemplateSettings(_Section):
    """Which templates to render with.

    Attributes
    ----------
    folder
        A folder of template folders to use in place of the packaged one.
    paraphrases
        How many paraphrases of each task's seed instruction to use, one of them held out; null = all.
    """

    folder: Path | None = None
    paraphrases: int | None = Field(default=None, ge=2)


class Recipe(_Section):
    """A recipe: which sources, which tasks, how much of each.

    Attributes
    ----------
    name, title, description
        Short name; what the card is headed with; a sentence or two for it.
    seed
        Seed of every draw.
    layout
        ``huggingface`` (real splits) or ``ecinstruct`` (the original's one split with eight settings).
    sample_corpora
        Generated corpora to build from, or null.
    sources, tasks, checks
        Settings by name; a check that the file does not name is there with its defaults.
    families, split, limits, templates
        See each.
    audit
        What the audit of the published rows tolerates; see `ecinstruct_build.audit.limits`.
    review
        What people must have found; see `ecinstruct_build.review.settings`.
    publish
        How the dataset goes out; see `ecinstruct_build.publish.settings`.
    """

    name: str = Field(min_length=1, pattern=r"^[A-Za-z0-9._-]+$")
    title: str = ""
    description: str = ""
    seed: int = 0
    layout: Layout = "huggingface"
    sample_corpora: SampleCorpora | None = None
    sources: dict[str, SerializeAsAny[SourceSettings]]
    tasks: dict[str, SerializeAsAny[TaskSettings]]
    checks: dict[str, SerializeAsAny[CheckSettings]] = Field(default_factory=dict)
    families: FamilySettings = FamilySettings()
    split: SplitSettings = SplitSettings()
    limits: Limits = Limits()
    templates: TemplateSettings = TemplateSettings()
    audit: AuditLimits = AuditLimits()
    review: ReviewSettings = ReviewSettings()
    publish: PublishSettings = PublishSettings()

    @property
    def split_seed(self) -> int:
        """Seed of the split: its own, or the recipe's."""
        return self.seed if self.split.seed is None else self.split.seed

    @property
    def split_weights(self) -> dict[Split, float]:
        """Weights of train, validation and test: as stated, or the parts that they usually have in a task's quotas.

        Communities hold examples of several tasks, so all tasks share one set of weights. Sums of quotas would let one
        task with much training take the tests from the others.
        """
        stated: dict[Split, float] = {
            "train": self.split.train,
            "validation": self.split.validation,
            "test": self.split.test,
        }
        if any(stated.values()):
            return stated
        quotas = [{name: getattr(task.quota, name) for name in stated} for task in self.tasks.values()]
        wanted = {name: _usual_part(name, quotas) for name in stated}
        return wanted if any(wanted.values()) else {**wanted, "train": 1.0}

    def source(self, name: str) -> Source:
        """Return one of the recipe's sources as its settings describe it."""
        return SOURCES.get(name).configured(self.sources[name])


def _usual_part(split: Split, quotas: Sequence[Mapping[Split, int]]) -> float:
    """Return what part of the quotas a split has: the median (the upper of two) of the tasks that divide theirs.

    A task that wants this split alone, or none of it, says nothing of how to divide. Where all do, their sums count.
    """
    parts = sorted(quota[split] / sum(quota.values()) for quota in quotas if 0 < quota[split] < sum(quota.values()))
    if parts:
        return parts[len(parts) // 2]
    every = sum(sum(quota.values()) for quota in quotas)
    return sum(quota[split] for quota in quotas) / every if every else 0.0


def recipe_path(recipe: str | Path) -> Path:
    """Return the file of a recipe given by path or by the name of a packaged one.

    Raises
    ------
    UserError
        If there is no such file; with the nearest packaged name.
    """
    path = Path(recipe)
    if path.is_file():
        return path
    packaged = {file.stem: file for file in packaged_folder("recipes").glob("*.toml")}
    if path.stem in packaged and path.parent in (Path(), Path("recipes")):
        return packaged[path.stem]
    raise UserError(
        f"There is no recipe at '{recipe}'.{did_you_mean(path.stem, packaged)} "
        f"Give a TOML file, or one of: {', '.join(sorted(packaged))}."
    )


def load_recipe(recipe: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read and validate a recipe.

    Parameters
    ----------
    recipe
        Path of a TOML file, or the name of a packaged recipe.
    overrides
        ``a.b=1`` each: settings that replace the file's, values in TOML (a bare word is a string).

    Raises
    ------
    UserError
        If the file is missing or not TOML, or a setting is unknown or of the wrong kind.
    """
    path = recipe_path(recipe)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"The recipe {path} cannot be read: {error}.") from error
    return parse_recipe(raw, str(path), overrides)


def parse_recipe(raw: Mapping[str, Any], where: str, overrides: Sequence[str] = ()) -> Recipe:
    """Validate a recipe given as nested mappings; ``where`` names it in errors. For the rest see `load_recipe`."""
    sections = deepcopy(dict(raw))
    for override in overrides:
        _override(sections, override)
    # In order of name, so that nothing depends on the order in which a file has them.
    sections["sources"] = {
        name: _validate(SOURCES.get(name).settings, section, f"{where}, [sources.{name}]")
        for name, section in sorted(_mapping(sections, "sources", where).items())
    }
    sections["tasks"] = {
        name: _validate(TASKS.get(name).settings, section, f"{where}, [tasks.{name}]")
        for name, section in sorted(_mapping(sections, "tasks", where).items())
    }
    sections["checks"] = {
        name: _validate(CHECKS.get(name).settings, section, f"{where}, [checks.{name}]")
        for name, section in sorted({**_every_check(), **_mapping(sections, "checks", where)}.items())
    }
    recipe = _validate(Recipe, sections, where)
    for name, settings in recipe.checks.items():
        _refuse_check(f"{where}, [checks.{name}]", name, settings)
    if recipe.split.freeze is None:  # else all that is new goes to training
        _refuse_weights(where, recipe)
    for name, task in recipe.tasks.items():
        _refuse_sources(f"{where}, [tasks.{name}]", recipe, TASKS.get(name), task)
        _refuse_domains(f"{where}, [tasks.{name}]", TASKS.get(name), task)
    return recipe


def _refuse_sources(where: str, recipe: Recipe, task: Task, settings: TaskSettings) -> None:
    """Refuse sources that the recipe does not have, and those that have nothing that the task draws from."""
    drawn_from = {task.primary, *task.also}
    for source in settings.named_sources:
        if source not in recipe.sources:
            raise UserError(
                f"{where}: source '{source}' is not one of the recipe's sources.{did_you_mean(source, recipe.sources)}"
            )
        if drawn_from.isdisjoint(recipe.source(source).tables):
            feeding = [name for name in recipe.sources if not drawn_from.isdisjoint(recipe.source(name).tables)]
            raise UserError(
                f"{where}: source '{source}' fills no table that the task draws from "
                f"({', '.join(sorted(drawn_from))}). Of the recipe's sources these do: {', '.join(feeding) or 'none'}."
            )


def _refuse_domains(where: str, task: Task, settings: TaskSettings) -> None:
    """Refuse domains of a task that knows none."""
    for setting in ("ind", "ood"):
        if getattr(settings, setting) and not task.knows_domains:
            raise UserError(
                f"{where}: '{setting}' can name nothing: what the task draws from has no {task.domain_column}, and all "
                f"its examples are in domain. Leave '{setting}' out."
            )


def _refuse_weights(where: str, recipe: Recipe) -> None:
    """Refuse quotas for a split that has no weight: one of the two is a slip, mostly the weight."""
    for split, weight in recipe.split_weights.items():
        wanted = [(name, getattr(task.quota, split)) for name, task in recipe.tasks.items()]
        asking = [f"{name} {number:,}" for name, number in wanted if number]
        if asking and not weight:
            more = f" and {len(asking) - 3} more" if len(asking) > 3 else ""
            raise UserError(
                f"{where}, [split]: '{split}' has a weight of 0 and stays empty, but tasks have quotas for it: "
                f"{', '.join(asking[:3])}{more}. Give it a weight, set these quotas to 0, or state no weights at all: "
                "then they follow the quotas."
            )


def _refuse_check(where: str, name: str, settings: CheckSettings) -> None:
    """Refuse settings that a check cannot follow."""
    if settings.action == "repair" and CHECKS.get(name).repair is None:
        raise UserError(f"{where}: this check can repair nothing. Choose reject, flag or off.")
    known = TASKS.names() if settings.tasks_named else []
    for task in settings.tasks_named:
        if task not in known:
            raise UserError(f"{where}: there is no task '{task}'.{did_you_mean(task, known)}")


def _every_check() -> dict[str, Any]:
    return {name: {} for name in CHECKS.names()}


def _mapping(sections: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    section = sections.get(name, {})
    if not isinstance(section, dict):
        raise UserError(f"{where}: '{name}' must be a table, such as [{name}.something].")
    return section


def _override(raw: dict[str, Any], override: str) -> None:
    path, equals, text = override.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise UserError(f"The setting '{override}' is not of the form a.b=value.")
    try:
        value = tomllib.loads(f"value = {text.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    section = raw
    for key in keys[:-1]:
        section = section.setdefault(key, {})
        if not isinstance(section, dict):
            raise UserError(f"The setting '{override}' goes into '{key}', which is a value and not a table.")
    section[keys[-1]] = value


def _validate(model: type[Model], values: Any, where: str) -> Model:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(_problem(model, problem) for problem in error.errors())
        raise UserError(f"{where}: {problems}{'' if problems.endswith('?') else '.'}") from error


def _problem(model: type[BaseModel], problem: Any) -> str:
    place = [str(part) for part in problem["loc"]]
    if problem["type"] == "extra_forbidden":
        owner: Any = model
        for part in place[:-1]:
            field = owner.model_fields.get(part) if hasattr(owner, "model_fields") else None
            owner = field.annotation if field else None
        known = list(owner.model_fields) if hasattr(owner, "model_fields") else []
        return f"there is no setting '{'.'.join(place)}'.{did_you_mean(place[-1], known)}".rstrip(".")
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"'{'.'.join(place)}': {message[:1].lower()}{message[1:]}"
