"""Rows → scores → the documents an answer holds. Pure; the same for every way in."""

from __future__ import annotations

from typing import Any

from driftloop.capture_lines import WHOLE
from driftloop.errors import BadRequest
from driftloop.instances import Instance, unknown_field
from driftloop.plan import Scorer
from driftloop.serving import Loaded

Scores = list[Any]  # a number for each row, or a list of probabilities


def score(version: Loaded, asked: list[Instance], key: str | None) -> Scores:
    """Raises BadRequest with the path of the first field that is wrong."""
    known, encode = version.known, version.scorer.row
    rows = []
    for i, instance in enumerate(asked):
        path = f"instances[{i}]"
        rows.append(encode(instance, path))
        if not instance.keys() <= known:
            raise unknown_field(instance, path, known)
        if key is not None and key in instance:
            _check_key(instance[key], f"{path}.{key}")
    return list(version.scorer.score(rows))


def _check_key(value: object, field: str) -> None:
    if isinstance(value, bool) or not isinstance(value, (str, int, type(None))):
        raise BadRequest(f"{field}: should be text or a whole number", field)
    if isinstance(value, int) and not -WHOLE <= value <= WHOLE:
        raise BadRequest(f"{field}: is too large a whole number; send it as text", field)


def predictions(scorer: Scorer, ids: list[str], scores: Scores) -> list[dict[str, Any]]:
    """One document a row: the likeliest class and its probabilities, or the number."""
    classes = scorer.classes
    rows = zip(ids, scores, strict=True)
    if classes is None:
        return [{"id": name, "value": value} for name, value in rows]
    if len(classes) == 2:
        no, yes = classes
        return [{"id": name, "value": yes if p > 0.5 else no, "probability": p} for name, p in rows]
    return [
        {
            "id": name,
            "value": classes[max(range(len(classes)), key=ps.__getitem__)],
            "probabilities": dict(zip(classes, ps, strict=True)),
        }
        for name, ps in rows
    ]
