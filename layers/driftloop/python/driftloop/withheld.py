"""Whose labelled rows are not to be learned from: those of windows that the policy quarantines, and
for now those of windows that the monitor has yet to judge, as these may turn out to be such."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from driftloop import captured, keys
from driftloop.blobs import Blobs
from driftloop.data.dataset import Part
from driftloop.errors import NotFound
from driftloop.ids import id_ms
from driftloop.monitoring.state import State
from driftloop.spec import Spec
from driftloop.when import parse, to_ms

DAY = 24 * captured.HOUR
PATIENCE = 3  # windows; a monitor that is silent for longer is not waited for

Mark = Sequence[int]
"""``[start, end, version]``, epoch milliseconds, ``end`` excluded; version 0: of every version."""
ANY = 0
_FAR = 2**53 - 1


def quarantined(store: Blobs, model: str) -> list[Mark]:
    """The windows that the policy quarantines."""
    try:
        return list(json.loads(store.get(keys.quarantined_windows(model))))
    except NotFound:
        return []


def to_be_judged(store: Blobs, spec: Spec, now: str) -> list[Mark]:
    """The windows that the monitor has not judged as of ``now``, as one mark; none where nobody
    watches."""
    span, grace = (
        round(length.total_seconds() * 1000) for length in (spec.monitor.window, spec.monitor.grace)
    )
    asked = State.read(store, spec.name, span).asked
    if asked is None or asked < to_ms(parse(now)) - PATIENCE * span - grace:
        return []
    first = asked - grace
    return [[first - first % span, _FAR, ANY]]


def touching(marks: Sequence[Mark], day: str) -> list[Mark]:
    """Those that reach into a day (``2013-02-01``)."""
    start = to_ms(parse(day))
    return [list(mark) for mark in marks if mark[0] < start + DAY and start < mark[1]]


def within(prediction: str, version: int, marks: Sequence[Mark]) -> bool:
    """Whether a prediction (by its id) that ``version`` made belongs to a mark."""
    made = id_ms(prediction)
    return any(start <= made < end and of in (version, ANY) for start, end, of in marks)


def of_part(marks: Sequence[Mark], part: Part) -> list[Mark]:
    """The marks that concern rows of a part; none for what was uploaded."""
    return touching(marks, part.origin["labels"]) if part.source == "labels" else []


def free(store: Blobs, model: str, part: str, marks: Sequence[Mark]) -> npt.NDArray[np.bool_]:
    """Which rows of a part that labels made may be learned from. Raises NotFound."""
    told = gzip.decompress(store.get(keys.joined_sources(model, part))).splitlines()
    sources = map(json.loads, told)
    return np.array([not within(s["id"], s["version"], marks) for s in sources], dtype=bool)
