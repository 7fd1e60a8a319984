"""What a recipe says of the review by people."""

from pydantic import BaseModel, ConfigDict, Field


class ReviewSettings(BaseModel):
    """What people must have found before a dataset counts as reviewed.

    Attributes
    ----------
    max_defect_rate
        Largest share of defective rows that a task may have.
    confidence
        Confidence at which it must be that small: one-sided, for the task's finite number of rows.
    allowed_defects
        Defective items in a task's sample that still pass; each one more makes the samples larger.
    double_share
        Share of the items that two people judge, so that their agreement can be told.
    seconds
        What one judgement is reckoned to take.
    required
        Whether publishing refuses without a passing review.
    covers
        Share of a task's published rows that must have been there to be drawn when the review's sample was.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_defect_rate: float = Field(default=0.03, gt=0, lt=1)
    confidence: float = Field(default=0.95, gt=0, lt=1)
    allowed_defects: int = Field(default=0, ge=0)
    double_share: float = Field(default=0.2, ge=0, le=1)
    seconds: float = Field(default=30.0, gt=0)
    required: bool = False
    covers: float = Field(default=0.9, ge=0, le=1)
