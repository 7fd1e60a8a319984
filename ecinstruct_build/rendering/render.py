"""Rendering: an assigned example and a task's templates become samples, which are text.

An example is rendered once (input, options, output); its samples differ only in the instruction and in whether a
solved example stands beside them. Every choice is keyed by the example's id (law 1), so a sample reads the same
whichever other examples are rendered with it.
"""

from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ecinstruct_build import chance
from ecinstruct_build.answers import LETTERS
from ecinstruct_build.errors import UserError
from ecinstruct_build.example import SAMPLE_SCHEMA, Example, Option
from ecinstruct_build.rendering.template_set import Instruction, TemplateSet
from ecinstruct_build.splits import ORIGINAL_SPLIT, SPLITS, Setting, Split
from ecinstruct_build.task import Task


@dataclass(frozen=True)
class Assigned:
    """An example with the split that it was given; its options and context are exactly those to show.

    Attributes
    ----------
    example, split
        See above.
    families
        The families of all products that it shows, sorted.
    """

    example: Example
    split: Split
    families: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rendered:
    """The text of an example, without an instruction.

    Attributes
    ----------
    variant
        The input variant that chance chose.
    input, options, output
        Published text; ``options`` is "" for tasks without options.
    lettered
        The options in letter order.
    """

    variant: str
    input: str
    options: str
    output: str
    lettered: tuple[Option, ...]


def letter_options(example: Example, task: Task, seed: int) -> tuple[Option, ...]:
    """Return the options in the order of their letters, A first; empty for tasks without options.

    Raises
    ------
    UserError
        If there are more options than letters.
    """
    order = task.answer.option_order
    if order == "none":
        return ()
    if len(example.options) > len(LETTERS):
        raise UserError(f"Example {example.example_id} has more options than there are letters.")
    if order == "fixed":
        return example.options
    shuffled = chance.shuffle(example.options, seed, "options", example.example_id, key=lambda option: option.key)
    return tuple(shuffled)


def choose_instruction(example_id: str, templates: TemplateSet, seed: int, kind: str) -> Instruction:
    """Return the instruction of an example's sample.

    Parameters
    ----------
    example_id
        The example.
    templates
        The task's templates.
    seed
        Seed of the choice.
    kind
        ``diverse``, ``unseen`` or ``single``, as in `splits.Setting`.
    """
    if kind == "single":
        return templates.seed_instruction
    candidates = templates.held_out if kind == "unseen" else templates.seen
    return chance.choose(candidates, seed, f"instruction:{kind}", example_id)


def variables(example: Example, lettered: Sequence[Option]) -> dict[str, Any]:
    """Return what an example's templates may name: its fields, ``context`` and ``options``."""
    return {
        **example.fields,
        "context": [{"product_id": item.product_id, "text": item.text} for item in example.context],
        "options": [{"letter": letter, "text": option.text} for letter, option in zip(LETTERS, lettered, strict=False)],
    }


def render_example(example: Example, task: Task, templates: TemplateSet, seed: int) -> Rendered:
    """Render an example's input, options and output.

    Raises
    ------
    UserError
        If a template names something that the example does not have; names file, line, variable and example.
    """
    example_id = example.example_id
    lettered = letter_options(example, task, seed)
    values = variables(example, lettered)
    variant = chance.choose(tuple(templates.inputs), seed, "input variant", example_id)
    answer = task.answer.format(example.answer, [option.key for option in lettered])
    return Rendered(
        variant=variant,
        input=templates.inputs[variant].render(values, example_id),
        options=templates.options.render(values, example_id) if lettered else "",
        output=templates.output.render({"answer": answer}, example_id),
        lettered=lettered,
    )


def render_samples(
    assigned: Sequence[Assigned],
    task: Task,
    templates: TemplateSet,
    seed: int,
    settings: Sequence[Setting],
    *,
    paraphrases: int | None = None,
) -> pa.Table:
    """Render the samples of one task.

    Parameters
    ----------
    assigned
        Examples with their splits, in any order.
    task, templates
        The task and its templates.
    seed
        Seed of instructions, input variants, option order and solved examples.
    settings
        The settings to render, in the order of the rows.
    paraphrases
        How many paraphrases to use, one of them held out; None = all. See `TemplateSet.limited`.

    Returns
    -------
    Rows of `SAMPLE_SCHEMA` ordered by setting, split and example_id. A setting that shows a solved example has no
    rows where nothing was assigned to train.

    Raises
    ------
    UserError
        If a template names something that an example does not have.
    """
    templates = templates.limited(paraphrases)
    ranks = {split: rank for rank, split in enumerate(SPLITS)}
    ordered = sorted(((ranks[one.split], one.example.example_id, one) for one in assigned), key=lambda entry: entry[:2])
    rendered = {example_id: render_example(one.example, task, templates, seed) for _, example_id, one in ordered}
    shots = _Shots([example_id for _, example_id, one in ordered if one.split == "train"], rendered, templates, seed)
    rows = [
        (setting, one, example_id, shot)
        for setting in settings
        for _, example_id, one in ordered
        if one.split in setting.splits and one.example.domain == setting.domain
        if (shot := shots.text_for(example_id) if setting.shots else "") is not None
    ]
    return _table(rows, rendered, task, templates, seed)


class _Shots:
    """The solved examples that samples show, drawn from the training examples.

    Training examples lie on a ring at keyed points; a sample takes the first one after its own point. Each is as
    likely as another, and leaving one training example out changes only the samples that showed it.
    """

    def __init__(
        self, train: Sequence[str], rendered: Mapping[str, Rendered], templates: TemplateSet, seed: int
    ) -> None:
        self._ring = sorted((chance.digest(seed, "solved example", example_id), example_id) for example_id in train)
        self._points = [point for point, _ in self._ring]
        self._rendered = rendered
        self._template = templates.few_shot
        self._seed = seed

    def text_for(self, example_id: str) -> str | None:
        """Return the text of the solved example for a sample, or None if there is none but itself."""
        start = bisect(self._points, chance.digest(self._seed, "solved example for", example_id))
        for offset in range(min(2, len(self._ring))):
            chosen = self._ring[(start + offset) % len(self._ring)][1]
            if chosen != example_id:
                return self._text(chosen)
        return None

    def _text(self, example_id: str) -> str:
        solved = self._rendered[example_id]
        values = {"input": solved.input, "options": solved.options, "output": solved.output}
        return self._template.render(values, example_id)


def _table(
    rows: Sequence[tuple[Setting, Assigned, str, str]],
    rendered: Mapping[str, Rendered],
    task: Task,
    templates: TemplateSet,
    seed: int,
) -> pa.Table:
    records = _records(rows, rendered, task, templates, seed)
    columns: list[tuple[Any, ...]] = list(zip(*records, strict=True)) or [()] * len(SAMPLE_SCHEMA)
    arrays = [pa.array(column, type=field.type) for column, field in zip(columns, SAMPLE_SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=SAMPLE_SCHEMA)


def _records(
    rows: Sequence[tuple[Setting, Assigned, str, str]],
    rendered: Mapping[str, Rendered],
    task: Task,
    templates: TemplateSet,
    seed: int,
) -> Iterator[tuple[Any, ...]]:
    """Yield one tuple per sample, in the order of `SAMPLE_SCHEMA`'s columns."""
    for setting, one, example_id, shot in rows:
        example, text = one.example, rendered[example_id]
        instruction = choose_instruction(example_id, templates, seed, setting.instructions)
        grades = [option.grade for option in text.lettered]
        yield (
            ORIGINAL_SPLIT[one.split],
            task.published_name,
            setting.name,
            instruction.text,
            text.input,
            text.options,
            text.output,
            shot,
            example_id,
            f"{instruction.id}/{text.variant}",
            example.source,
            example.domain,
            example.category,
            example.locale,
            example.all_products,
            one.families,
            example.groups,
            grades if any(grades) else [],
        )
