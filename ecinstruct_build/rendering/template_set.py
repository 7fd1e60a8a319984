"""Template folders: what a task's instructions, input, options and output look like, read from text files.

``templates/<task>/`` holds

- ``instructions.toml``: one ``[[instruction]]`` per wording, with ``id`` and ``text``; the one called ``seed`` is
  the plainest, the others are paraphrases, and those with ``held_out = true`` are never used in training;
- ``input.jinja`` and, if wanted, more variants as ``input_<variant>.jinja``;
- ``options.jinja``, ``output.jinja``, ``few_shot.jinja``, only where the task differs from the ones in ``templates/``.

In the Jinja files the task's fields are variables, and so are ``context`` (a list of objects with ``product_id``
and ``text``) and ``options`` (with ``letter`` and ``text``). ``output.jinja`` has ``answer``; ``few_shot.jinja`` has
``input``, ``options`` and ``output`` of a solved example, as text.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ecinstruct_build.errors import UserError, did_you_mean
from ecinstruct_build.packaged import packaged_folder
from ecinstruct_build.rendering.template_language import TextTemplate, compile_template, mark_in

SEED_ID = "seed"
DEFAULT_VARIANT = "default"

_INPUT_FILE = re.compile(r"input(?:_(?P<variant>[a-z0-9_]+))?\.jinja")


class Instruction(BaseModel):
    """One wording of what to do.

    Attributes
    ----------
    id
        Its name within the task; part of ``template_id``.
    text
        The wording, without white space around it.
    held_out
        Whether it is kept from training, for testing on unseen instructions.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    text: str = Field(min_length=1)
    held_out: bool = False

    @field_validator("text")
    @classmethod
    def _plain(cls, text: str) -> str:
        if mark := mark_in(text):
            raise ValueError(f"it holds {mark!r}, but instructions are plain text; what varies belongs in input.jinja")
        return text.strip()


class _InstructionFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    instruction: tuple[Instruction, ...]


@dataclass(frozen=True)
class TemplateSet:
    """The templates of one task.

    Attributes
    ----------
    task
        The task's name.
    instructions
        In the file's order.
    inputs
        Input templates by variant, sorted by variant.
    options, output, few_shot
        The other templates.
    digest
        SHA-256 of all the files that it was read from; equal digests render alike.
    """

    task: str
    instructions: tuple[Instruction, ...]
    inputs: Mapping[str, TextTemplate]
    options: TextTemplate
    output: TextTemplate
    few_shot: TextTemplate
    digest: str

    @property
    def seed_instruction(self) -> Instruction:
        """The plainest wording."""
        return next(instruction for instruction in self.instructions if instruction.id == SEED_ID)

    @property
    def seen(self) -> tuple[Instruction, ...]:
        """The wordings that training may use, the seed among them."""
        return tuple(instruction for instruction in self.instructions if not instruction.held_out)

    @property
    def held_out(self) -> tuple[Instruction, ...]:
        """The wordings kept for testing."""
        return tuple(instruction for instruction in self.instructions if instruction.held_out)

    def limited(self, paraphrases: int | None) -> "TemplateSet":
        """Return the set with that many paraphrases beside the seed, exactly one of them held out.

        The first ones of the file are kept. None keeps everything.

        Raises
        ------
        UserError
            If there are not so many.
        """
        if paraphrases is None:
            return self
        others = [instruction for instruction in self.seen if instruction.id != SEED_ID]
        if not 1 <= paraphrases <= len(others) + 1:
            raise UserError(
                f"Task {self.task} cannot be rendered with {paraphrases} paraphrases, one of them held out: "
                f"its templates have {len(others)} seen and {len(self.held_out)} held out."
            )
        kept = (self.seed_instruction, *others[: paraphrases - 1], self.held_out[0])
        return replace(self, instructions=kept)


def packaged_templates() -> Path:
    """Return the folder of template folders that comes with this package."""
    return packaged_folder("templates")


def template_folders(root: Path | None = None) -> list[str]:
    """Return the names of the template folders in ``root`` (default: the packaged ones), sorted."""
    folder = root or packaged_templates()
    return sorted(entry.name for entry in folder.iterdir() if entry.joinpath("instructions.toml").is_file())


def load_templates(task: str, root: Path | None = None) -> TemplateSet:
    """Read and validate the templates of a task.

    Parameters
    ----------
    task
        The task's name, which is the folder's name.
    root
        A folder of template folders that takes the place of the packaged one; what it lacks (a task's folder,
        or a shared file) is still taken from the packaged one.

    Raises
    ------
    UserError
        If the folder or a file is missing or faulty; names the file.
    """
    if root is not None and not root.is_dir():
        raise UserError(f"There is no template folder {root}. Mend templates.folder in the recipe.")
    roots = [*([root] if root else []), packaged_templates()]
    folder = next((found for base in roots if (found := base.joinpath(task)).is_dir()), None)
    if folder is None or not task.isidentifier():
        near = did_you_mean(task, template_folders(root))
        raise UserError(f"There is no template folder for task '{task}' in {roots[0]}.{near}")
    files = _Files()
    instructions = _instructions(files.read(folder.joinpath("instructions.toml")), f"{task}/instructions.toml")
    inputs = {
        variant: compile_template(f"{task}/{file.name}", files.read(file)) for variant, file in _input_files(folder)
    }
    if not inputs:
        raise UserError(f"Template folder {task} holds no input.jinja.")
    shared = {}
    for name in ("options.jinja", "output.jinja", "few_shot.jinja"):
        found = next(file for base in (folder, *roots) if (file := base.joinpath(name)).is_file())
        shown = f"{task}/{name}" if found == folder.joinpath(name) else name
        shared[name] = compile_template(shown, files.read(found))
    return TemplateSet(
        task=task,
        instructions=instructions,
        inputs=inputs,
        options=shared["options.jinja"],
        output=shared["output.jinja"],
        few_shot=shared["few_shot.jinja"],
        digest=files.digest(),
    )


class _Files:
    """Reads files and digests what was read."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def read(self, file: Path) -> str:
        if not file.is_file():
            raise UserError(f"Template file {file} is missing.")
        content = file.read_bytes()
        self._hash.update(f"{file.name}\0{len(content)}\0".encode() + content)
        try:
            return content.decode("utf-8").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            raise UserError(f"Template file {file} is not UTF-8: {error}.") from error

    def digest(self) -> str:
        return self._hash.hexdigest()


def _input_files(folder: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if match := _INPUT_FILE.fullmatch(file.name):
            yield match["variant"] or DEFAULT_VARIANT, file


def _instructions(text: str, name: str) -> tuple[Instruction, ...]:
    try:
        instructions = _InstructionFile.model_validate(tomllib.loads(text)).instruction
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"Template file {name} is not TOML: {error}.") from error
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()
        )
        raise UserError(f"Template file {name}: {faults}.") from error
    ids = [instruction.id for instruction in instructions]
    if len(set(ids)) != len(ids):
        raise UserError(f"Template file {name}: two instructions have the same id.")
    seeds = [instruction for instruction in instructions if instruction.id == SEED_ID]
    if not seeds or seeds[0].held_out:
        raise UserError(f"Template file {name}: there must be an instruction with id '{SEED_ID}', not held out.")
    if not any(instruction.held_out for instruction in instructions):
        raise UserError(f"Template file {name}: at least one instruction must have held_out = true.")
    return instructions
