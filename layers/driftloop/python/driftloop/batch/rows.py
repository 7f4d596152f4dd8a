"""Rows of a file as the endpoint meets them: admitted by its own rules, or refused with the reason.

A cell of CSV is text: a number where the input is one, and null where it is empty (or, of a number,
a null word such as ``NA``). Parquet is typed: what it holds as a number is text for a category.
JSON Lines are what a client would send.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from driftloop.batch.table import Form
from driftloop.checking.cells import as_text, number
from driftloop.data.rows import Kind, plain
from driftloop.errors import BadRequest
from driftloop.plan import Row, Scorer
from driftloop.reading import Block
from driftloop.scoring import Scores, wrong_key

_EXACT = 2**53  # whole numbers beyond have no float64 of their own


@dataclass(frozen=True)
class Reject:
    """A row that is not predicted. ``field`` is empty where no single one is at fault, and for a
    row that could not be read at all; ``also``: what is wrong with others, by field."""

    line: int
    field: str
    reason: str
    text: str
    also: dict[str, str] | None = None


@dataclass(frozen=True)
class Scored:
    """A block's rows: those predicted, with their lines, values and scores, and the others."""

    lines: list[int]
    instances: list[dict[str, Any]]
    scores: Scores
    rejects: list[Reject]


def score(
    scorer: Scorer, block: Block, form: Form, kinds: Mapping[str, Kind], key: str | None
) -> Scored:
    """Every row of the block, in exactly one of the two. ``kinds``: the inputs and the key."""
    rejects = [Reject(b.line, "", b.fault, b.text) for b in block.broken]
    admitted: list[int] = []
    rows: list[Row] = []
    found = instances(block, form, kinds)
    odd = [name for name in kinds if isinstance(block.columns[name], list)]

    def reject(at: int, problems: list[tuple[str, str]]) -> None:
        (name, reason), *also = problems
        rejects.append(
            Reject(int(block.lines[at]), name, reason, block.text(at), dict(also) or None)
        )

    for at, instance in enumerate(found):
        try:
            row = scorer.row(instance, "")
        except BadRequest:
            reject(at, scorer.mistakes(instance) + _further(instance, key, odd))
            continue
        if (key or odd) and (problems := _further(instance, key, odd)):
            reject(at, problems)
        else:
            admitted.append(at)
            rows.append(row)
    answered = _answers(scorer, rows)
    for at, answer in zip(admitted, answered, strict=True):
        if answer is None:
            reject(at, [("", "the numbers are so extreme that the answer is not finite")])
    kept = [at for at, answer in zip(admitted, answered, strict=True) if answer is not None]
    return Scored(
        lines=block.lines[kept].tolist(),
        instances=[found[at] for at in kept],
        scores=[answer for answer in answered if answer is not None],
        rejects=sorted(rejects, key=lambda reject: reject.line),
    )


def _answers(scorer: Scorer, rows: list[Row]) -> Scores:
    """None for a row without a finite answer."""
    try:
        return list(scorer.score(rows))
    except BadRequest:
        if len(rows) == 1:
            return [None]
        half = len(rows) // 2
        return _answers(scorer, rows[:half]) + _answers(scorer, rows[half:])


def _further(
    instance: Mapping[str, Any], key: str | None, odd: Iterable[str]
) -> list[tuple[str, str]]:
    """What is wrong beside the inputs: the key, and texts of the ``odd`` fields that none are."""
    problems = []
    if key and (problem := wrong_key(instance.get(key))):
        problems.append((key, problem))
    for name in odd:
        value = instance[name]
        if isinstance(value, str) and not _is_text(value):
            problems.append((name, "holds half of a surrogate pair, which is no character"))
    return problems


def instances(block: Block, form: Form, kinds: Mapping[str, Kind]) -> list[dict[str, Any]]:
    """The rows as a client would send them, with the fields ``kinds``."""
    columns = [_values(block.columns[name], form, kind) for name, kind in kinds.items()]
    return [dict(zip(kinds, row, strict=True)) for row in zip(*columns, strict=True)]


def _values(column: Any, form: Form, kind: Kind) -> list[Any]:
    values = _listed(column)
    if form == "csv" and kind == "number" and not _numeric(column):
        return [number(value) for value in values]
    if kind == "number" and isinstance(column, list):  # as where all values are numbers
        return [float(v) if type(v) is int and -_EXACT <= v <= _EXACT else v for v in values]
    if form == "csv" and kind == "text":
        return [value or None for value in values]
    if form == "parquet" and kind == "text" and isinstance(column, list):
        return [as_text(value) for value in values]
    return values


def _listed(column: Any) -> list[Any]:
    """Arrow's values as Python's, those of a dictionary once."""
    if isinstance(column, list):
        return column
    if pa.types.is_dictionary(column.type):
        words = [*column.dictionary.to_pylist(), None]
        codes = column.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False)
        return [words[code] for code in codes.tolist()]
    if _numeric(column):
        return plain(column.to_numpy(zero_copy_only=False))
    values: list[Any] = column.to_pylist()
    return values


def _numeric(column: Any) -> bool:
    return not isinstance(column, list) and pa.types.is_floating(column.type)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
