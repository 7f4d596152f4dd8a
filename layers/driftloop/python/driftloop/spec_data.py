"""What a spec says of the data: each feature, each row, an upload as a whole, and the split."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from driftloop.checking.pattern import refusal
from driftloop.spec_words import Bounds, Column, Duration, Moment, RuleName, Share, doubles


class Section(BaseModel):
    """Part of a spec: no unknown key, nothing converted in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Feature(Section):
    """One input column. Rows that break it are quarantined at ingest and refused by predict."""

    type: Literal["number", "category"]
    nullable: bool = False
    min: float | None = None
    max: float | None = None
    categories: list[Annotated[str, Field(min_length=1, max_length=256)]] | None = Field(
        None, min_length=1, max_length=1000
    )
    max_categories: int = Field(50, ge=1, le=1000)
    pattern: str | None = Field(None, min_length=1, max_length=256)
    """A regular expression (Python's) that the whole text matches."""
    unique: bool = False
    """No value twice in one upload; the first row that has it stays. (So an upload has at most
    ``max_categories`` rows, where that is a limit.)"""

    @field_validator("pattern")
    @classmethod
    def _can_be_matched(cls, pattern: str | None) -> str | None:
        if pattern is not None and (why := refusal(pattern)):
            raise ValueError(why)
        return pattern

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        wrong = []
        if self.type == "category" and (self.min is not None or self.max is not None):
            wrong.append("min and max belong to a number; for a category, list `categories`")
        if self.type == "number" and self.categories is not None:
            wrong.append("categories belong to type: category")
        if self.type == "number" and self.pattern is not None:
            wrong.append("pattern belongs to type: category; for a number, say `min` and `max`")
        if self.min is not None and self.max is not None and self.min > self.max:
            wrong.append(f"min {self.min:g} is above max {self.max:g}")
        if self.unique and self.categories is not None:
            wrong.append(
                "unique: with fixed `categories`, no upload could have more rows than they"
            )
        wrong += doubles("categories", self.categories or [])
        if self.pattern is not None:
            misfits = [c for c in self.categories or [] if not re.fullmatch(self.pattern, c)]
            wrong += [f"categories: {word!r} does not match the pattern" for word in misfits]
        if wrong:
            raise ValueError("\n".join(wrong))
        return self


class Expect(Section):
    """What an upload's accepted rows must be as a whole; otherwise it is refused whole."""

    rows: Bounds | None = None
    null_share: dict[Column, Bounds] = Field(default_factory=dict)
    mean: dict[Column, Bounds] = Field(default_factory=dict)
    min: dict[Column, Bounds] = Field(default_factory=dict)
    max: dict[Column, Bounds] = Field(default_factory=dict)
    distinct: dict[Column, Bounds] = Field(default_factory=dict)


class Split(Section):
    """How a dataset is divided into rows to learn from and rows to judge by."""

    by: Literal["time", "hash"] | None = None
    """None: by time where the spec names a time, else by hash."""
    stratify: bool = False
    """Each class has the same share of both sides."""
    group: Column | None = None
    """All rows that agree in this column are on one side."""


class Data(Section):
    reject_above: float = Field(0.05, ge=0, le=1)
    """Share of bad rows above which an upload is refused whole."""
    duplicates: Literal["drop", "keep"] = "drop"
    other_columns: Literal["refuse", "ignore"] = "refuse"
    """What becomes of an upload with columns that the spec does not name."""
    mode: Literal["append", "replace"] = "append"
    """replace: an upload takes the place of all that came before it."""
    window: Duration | None = None
    """How far back, in event time, rows are learned from; None is all."""
    earliest: Moment | None = None
    latest: Moment | None = None
    """Bounds of the event time, both allowed themselves."""
    future: Duration = timedelta(days=1)
    """How far after its upload an event may lie."""
    rules: dict[RuleName, str] = Field(default_factory=dict, max_length=50)
    """Name → what must hold for every row, as :mod:`driftloop.checking.expression` reads it."""
    expect: Expect = Field(default_factory=Expect)
    split: Split = Field(default_factory=Split)
    holdout: Share = 0.2
