"""Rows → scores → the documents an answer holds. Pure; the same for every way in."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from itertools import chain
from typing import Any

from driftloop.capture_lines import WHOLE
from driftloop.errors import BadRequest
from driftloop.payload import Asked, Items, Place
from driftloop.payload.shapes import unknown
from driftloop.plan import Row, Scorer
from driftloop.problem import encode
from driftloop.serving import Loaded

_LARGEST = sys.float_info.max
MOST_MISTAKES = 10  # said of one request
Scores = list[Any]  # a number for each row, or a list of probabilities


def score(version: Loaded, rows: list[Any], key: str | None, place: Place | None = None) -> Scores:
    """place: where the rows stood in what was sent; ``instances[i]`` if not given.

    Raises BadRequest with the paths of the first fields that are wrong.
    """
    try:
        return list(version.scorer.score(_encoded(version, rows, key)))
    except BadRequest:
        place = place or Items("instances", rows)
        found = []
        for mistake in _mistakes(version, rows, key, place):
            found.append(mistake)
            if len(found) == MOST_MISTAKES:
                break
        if not found:
            raise
    first, *also = found
    raise BadRequest(str(first), first.field, also)


def _encoded(version: Loaded, rows: list[Any], key: str | None) -> list[Row]:
    """The good way, which only asks whether anything is wrong."""
    checked, known, time = version.scorer.row, version.known, version.time
    encoded = [checked(row, "") for row in rows]
    if not set().union(*rows) <= known:
        raise BadRequest("a field is unknown")
    for name, wrong in ((key, wrong_key), (time, wrong_time)):
        if name is not None:
            for row in rows:
                if name in row and wrong(row[name]):
                    raise BadRequest("key or time is wrong")
    return encoded


def _mistakes(
    version: Loaded, rows: list[Any], key: str | None, place: Place
) -> Iterator[BadRequest]:
    """The slow way: everything that is wrong, in order, by its path."""
    scorer, fine = version.scorer, True
    for i, row in enumerate(rows):
        for name, problem in _problems(version, row, key):
            fine = False
            if name is None:
                yield _mistake(place.row(i), problem)
            elif name in version.known:
                yield _mistake(place.field(i, name), problem)
            else:
                yield unknown(name, version.known, place.field(i, name))
    for i, row in enumerate(rows if fine else ()):
        try:
            scorer.score([scorer.row(row)])
        except BadRequest:
            problem = "the numbers are so extreme that the answer is not finite"
            yield _mistake(place.row(i), problem)


def _problems(version: Loaded, row: Any, key: str | None) -> Iterator[tuple[str | None, str]]:
    """What is wrong with a row: the field (None: the row itself), and a sentence about it."""
    if row.__class__ is not dict:
        yield None, "should be an object of features"
        return
    for name in row:
        if name not in version.known:
            yield name, ""
    try:
        version.scorer.row(row)
    except BadRequest:
        yield from version.scorer.mistakes(row)
    for name, wrong in ((key, wrong_key), (version.time, wrong_time)):
        if name is not None and (problem := wrong(row.get(name))):
            yield name, problem


def _mistake(field: str, problem: str) -> BadRequest:
    return BadRequest(f"{field}: {problem}", field)


def wrong_key(value: object) -> str | None:
    """What is wrong with a value of the field that joins labels."""
    if isinstance(value, bool) or not isinstance(value, (str, int, type(None))):
        return "should be text or a whole number"
    if isinstance(value, int) and not -WHOLE <= value <= WHOLE:
        return "is too large a whole number; send it as text"
    return None


def wrong_time(value: object) -> str | None:
    """What is wrong with a row's own time, which nothing is computed from here."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float, type(None))):
        return "should be a time as text"
    if isinstance(value, float) and value - value != 0.0:
        return f"should be a time as text, not {value}"
    return None


def predictions(scorer: Scorer, ids: list[str], scores: Scores) -> list[dict[str, Any]]:
    """One document a row: the likeliest class and its probabilities; or the number, and where the
    truth lies with the plan's confidence."""
    classes = scorer.classes
    rows = zip(ids, scores, strict=True)
    if classes is None:
        return [{"id": name, "value": value, **_interval(scorer, value)} for name, value in rows]
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


def told(scorer: Scorer, ids: list[str], scores: Scores) -> str:
    """:func:`predictions` as JSON. Two classes are written by hand, in half the time: they are what
    is asked for most, and by the thousand."""
    if scorer.classes is None or len(scorer.classes) > 2:
        return encode(predictions(scorer, ids, scores))
    no, yes = (f'","value":{encode(name)},"probability":' for name in scorer.classes)
    rows = zip(ids, scores, strict=True)
    found = [f'{{"id":"{name}{yes if p > 0.5 else no}{p!r}}}' for name, p in rows]
    return f"[{','.join(found)}]"


def _interval(scorer: Scorer, value: float) -> dict[str, Any]:
    span = scorer.interval(value)
    if span is None:
        return {}
    low, high = (min(max(end, -_LARGEST), _LARGEST) for end in span)
    return {"interval": {"confidence": scorer.confidence, "low": low, "high": high}}


def explanations(version: Loaded, asked: Asked) -> list[dict[str, Any]]:
    """What each input adds to each row's answer, on the scale it says: ``base`` and the
    ``contributions`` sum to the model's output before the link. By class for three or more.

    For rows that :func:`score` took. Raises BadRequest if this version cannot say.
    """
    scorer = version.scorer
    found = scorer.explain([scorer.row(row) for row in asked.rows])
    names = [item.name for item in scorer.inputs]
    documents = []
    for i, outputs in enumerate(found.contributions):
        if not all(map(math.isfinite, chain.from_iterable(outputs))):
            field = asked.place.row(i)
            raise _mistake(field, "the numbers are so extreme that the answer cannot be explained")
        parts = [
            {"base": base, "contributions": dict(zip(names, values, strict=True))}
            for base, values in zip(found.base, outputs, strict=True)
        ]
        if len(parts) == 1:
            documents.append({"scale": found.scale, **parts[0]})
        else:
            by_class = dict(zip(scorer.classes or (), parts, strict=True))
            documents.append({"scale": found.scale, "classes": by_class})
    return documents
