"""What an audit tolerates."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ecinstruct_build.errors import UserError, did_you_mean


class AuditLimits(BaseModel):
    """How much of each fault a published dataset may hold; counts are rows, and none is tolerated by default.

    Overlaps count the rows of a validation or test split that share something with training, and the rows of a test
    split that share something with validation. A limit of none reports and never fails.

    Attributes
    ----------
    family_overlap
        Held-out rows with a product family that stands in training.
    product_overlap
        Held-out rows with a product that stands in training: by id, or by title where the dataset has no ids.
    title_overlap
        Held-out rows with a product title that stands in training, in datasets that have ids as well.
    group_overlap
        Held-out rows with a user, query or question that stands in training: by the ``groups`` column, or by the text
        of queries and questions where the dataset has no such column.
    text_overlap
        Held-out rows with the text of a query or question that stands in training, in datasets that have groups too.
    exact_duplicates
        Held-out rows whose input, but for case and white space, stands in training.
    near_duplicates
        Held-out rows with an input that is nearly the same as one in training.
    jaccard
        Jaccard similarity of the word sets of two inputs from which they are nearly the same.
    instruction_overlap
        Rows of the unseen-instruction tests whose instruction is used in training or in a test of seen instructions.
    ood_overlap
        Rows of the out-of-domain tests that share a family, product, query, user, question, attribute, category or
        unseen instruction with training.
    misfiled
        Rows in the shard of another split than their ``split`` and ``setting`` columns say.
    nulls
        Rows with a null (or NaN) in a column.
    empties
        Rows without an instruction, input or output.
    invalid_json
        Rows whose input or output is no JSON where most of the task's are.
    python_literals
        Rows whose input or output shows values as Python prints them, such as ``nan`` or ``['a', 'b']``.
    html_share
        Share of a split's rows of a task with HTML tags or entities left in; three standard deviations more are
        tolerated, so that one row does not condemn a small split.
    foreign_share
        Share of a split's rows of a task whose input is confidently in another language than its locale's; likewise.
    answer_not_among_options
        Rows whose answer names an option that is not there, or leaves one out where most answers of the task rank all.
    unknown_labels
        Held-out rows with an output that no training row of the task has, in tasks without options of which training
        has at most ten different outputs, and twenty rows or more for each of them.
    training_labels
        Training rows, in the tasks that ``unknown_labels`` looks at, with an output that no held-out row of the task
        has, though more than one training row in a hundred does.
    duplicate_ids
        Rows that repeat the example id of another row of the same split, task and setting.
    position_p
        Least probability of the right options' letters, were they drawn evenly; below it they are skewed.
    label_share
        Largest share of one label among the rows of a task in a split.
    balance_rows
        Rows that a task has in a split, at least, for its labels and letters to be judged.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    family_overlap: int | None = Field(default=0, ge=0)
    product_overlap: int | None = Field(default=0, ge=0)
    title_overlap: int | None = Field(default=None, ge=0)
    group_overlap: int | None = Field(default=0, ge=0)
    text_overlap: int | None = Field(default=None, ge=0)
    exact_duplicates: int | None = Field(default=0, ge=0)
    near_duplicates: int | None = Field(default=0, ge=0)
    jaccard: float = Field(default=0.8, ge=0.5, le=1)
    instruction_overlap: int | None = Field(default=0, ge=0)
    ood_overlap: int | None = Field(default=0, ge=0)
    misfiled: int | None = Field(default=0, ge=0)
    nulls: int | None = Field(default=0, ge=0)
    empties: int | None = Field(default=0, ge=0)
    invalid_json: int | None = Field(default=0, ge=0)
    python_literals: int | None = Field(default=0, ge=0)
    html_share: float | None = Field(default=0.001, ge=0, le=1)
    foreign_share: float | None = Field(default=0.02, ge=0, le=1)
    answer_not_among_options: int | None = Field(default=0, ge=0)
    unknown_labels: int | None = Field(default=0, ge=0)
    training_labels: int | None = Field(default=None, ge=0)
    duplicate_ids: int | None = Field(default=0, ge=0)
    position_p: float | None = Field(default=1e-6, ge=0, le=1)
    label_share: float | None = Field(default=None, gt=0, le=1)
    balance_rows: int = Field(default=30, ge=1)


def read_limits(path: Path) -> AuditLimits:
    """Read limits from a TOML file: its table ``[audit]`` if there is one, else the whole of it.

    A recipe without that table states none.

    Raises
    ------
    UserError
        If the file cannot be read, or a limit is unknown or of the wrong kind.
    """
    try:
        stated = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"The limits in {path} cannot be read: {error}.") from error
    try:
        return AuditLimits.model_validate(stated.get("audit", {} if "tasks" in stated else stated))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        hint = did_you_mean(name, AuditLimits.model_fields) if first["type"] == "extra_forbidden" else ""
        raise UserError(f"The limits in {path} are not valid: {name or 'they'}: {first['msg']}.{hint}") from error
