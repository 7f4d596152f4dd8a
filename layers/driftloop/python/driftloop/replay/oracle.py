"""The oracle: what nobody can do, to have a bound.

With hindsight it answers each day (UTC) with whichever version was best on that very day, of all
that retraining once a week would have made by then, the first champion among them. To pick after
the fact profits from luck too, so this is a bound and no aim. Each version is fitted with the
parameters of the first; no gate is asked, and nothing is watched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from driftloop import keys, losses, pipeline
from driftloop.answers import answers
from driftloop.captured import Record
from driftloop.data import dataset
from driftloop.errors import DriftloopError
from driftloop.frame import Frame
from driftloop.gathering import gather
from driftloop.ids import id_ms
from driftloop.plan import load
from driftloop.prepare import prepare
from driftloop.replay.history import History
from driftloop.replay.memory import Memory
from driftloop.replay.tally import Outcome, Ran
from driftloop.spec import Spec
from driftloop.truth import reader
from driftloop.version import Version
from driftloop.when import from_ms, iso, parse, to_ms
from driftloop.withheld import DAY

EVERY = 7 * DAY
Floats = npt.NDArray[np.float64]


def oracle(history: History, spec: Spec, clock: Callable[[], float]) -> Outcome:
    """``clock``: seconds, to measure with."""
    first = next(v for v in history.versions if v.version == history.champion)
    scorer = load(history.objects[first.plan_key], first.plan_sha256)
    watched = spec.monitor.performance
    metric = watched.metric if watched else spec.metric
    rows, times = _rows(history, spec, scorer.classes)
    days = times // DAY - times[0] // DAY
    sizes = np.bincount(days)

    def loss_of(said: Floats, of: slice) -> Floats:
        """Mean loss of each day."""
        each = losses.row_losses(metric, rows.target[of], said)
        return np.bincount(days[of], each, len(sizes)) / np.maximum(sizes, 1)

    chosen = answers(scorer, rows)
    least = loss_of(chosen, slice(None))
    ran: list[Ran] = []
    for now, made, took in _weekly(history, spec, first, clock):
        if isinstance(made, DriftloopError):
            why = f"{type(made).__name__}: {made}"
            ran.append(Ran(iso(from_ms(now)), "oracle", "train", "failed", None, why))
            continue
        fitted, classes = made
        begins = int(np.searchsorted(days, -(-now // DAY) - times[0] // DAY))
        if classes != scorer.classes or begins == len(days):
            continue
        later = slice(begins, None)
        said = pipeline.predict(fitted, rows.take(np.arange(begins, len(days))))
        loss = loss_of(said, later)
        better = loss < least
        better[: days[begins]] = False
        least = np.where(better, loss, least)
        chosen[later][better[days[later]]] = said[better[days[later]]]
        number = len(ran) + 2
        ran.append(Ran(iso(from_ms(now)), "oracle", "train", "released", number, "", took))
    months = np.array([f"{from_ms(int(t)):%Y-%m}" for t in times])
    return Outcome(
        policy="oracle, in hindsight",
        metric=metric,
        value=losses.value(metric, rows.target, chosen),
        rows=len(times),
        months={
            str(month): losses.value(metric, rows.target[months == month], chosen[months == month])
            for month in np.unique(months)
        },
        runs=ran,
    )


Fitted = tuple[Any, list[str] | None]


def _weekly(
    history: History, spec: Spec, first: Version, clock: Callable[[], float]
) -> Iterator[tuple[int, Fitted | DriftloopError, dict[str, float]]]:
    """A pipeline a week, of what was known at that moment, and its classes; or why there is none.
    With the seconds it took."""
    store = Memory(history.objects)
    for key in (key for found in history.hours.values() for key in found):
        store.put(key, history.objects[key])
    versions = [version.version for version in history.versions]
    prefix = keys.labels(spec.name) + "dt="
    since = 0
    for now in range(history.start + EVERY, history.end, EVERY):
        for intake in history.intakes:
            if since <= to_ms(parse(intake.ingested)) < now:
                store.put(keys.facts(spec.name, intake.name), intake.dump())
        days = set()
        for when, key in history.labels:
            if since <= when < now:
                store.put(key, history.objects[key])
                days.add(key.removeprefix(prefix)[:10])
        gather(store, spec, versions, days, iso(from_ms(now)))
        since, began = now, clock()
        try:
            found = dataset.current(store, spec)
            data = prepare(store, spec, found.digest if found else None)
            frame = Frame.from_bytes(store.get(data["key"]))
            store.forget(data["key"])
            fitted = pipeline.fit(spec, first.estimator, first.params, frame, frame.train)
        except DriftloopError as error:
            yield now, error, {}
            continue
        yield now, (fitted, frame.classes), {"train": clock() - began}


def _rows(
    history: History, spec: Spec, classes: list[str] | None
) -> tuple[Frame, npt.NDArray[np.int64]]:
    """The rows that were asked about and whose truth is known, as a frame, with their times."""
    truths, read = history.truths(), reader(classes)
    known: list[Record] = []
    target: list[float] = []
    for record in history.asked():
        truth = read(truths[record["id"]]) if record["id"] in truths else None
        if truth is not None:
            known.append(record)
            target.append(truth)
    columns: dict[str, npt.NDArray[Any]] = {}
    vocabulary: dict[str, list[str]] = {}
    for name, feature in spec.features.items():
        values = [record["features"].get(name) for record in known]
        if feature.type == "number":
            columns[name] = np.array([np.nan if v is None else v for v in values], np.float64)
            continue
        codes: dict[str | None, int] = {None: -1}
        columns[name] = np.array([codes.setdefault(v, len(codes) - 1) for v in values], np.int32)
        vocabulary[name] = [str(word) for word in codes if word is not None]
    times = np.array([id_ms(record["id"]) for record in known], np.int64)
    frame = Frame(columns, vocabulary, np.array(target), classes, np.zeros(len(known), bool), times)
    if classes is not None:
        frame = replace(frame, target=frame.target.astype(np.int32))
    return frame, times
