"""Which column is the key, the event time and the target, and whether that is a classification."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from driftloop.errors import NotEnoughData, SpecError
from driftloop.infer import names
from driftloop.infer.guess import Guess, Reading, listed
from driftloop.infer.seen import NUMBERS, Seen
from driftloop.mistakes import nearest

Task = Literal["classification", "regression"]
MOST_CLASSES = 50  # as `prepare` has it
FEW_CLASSES = 10  # whole numbers: more different ones are amounts
_UUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE).fullmatch


@dataclass(frozen=True)
class Wishes:
    """What the user has settled; None: guess."""

    target: str | None = None
    task: Task | None = None
    time: str | None = None
    key: str | None = None


@dataclass(frozen=True)
class Roles:
    target: str
    task: Task
    time: str | None
    key: str | None
    guesses: list[Guess]
    rejected: int
    """Rows that have no target, time or key, or none that can be read."""


Readings = Mapping[str, Reading]


def cast(readings: Readings, wishes: Wishes, latest: int) -> Roles:
    """Give out the parts. ``latest``: the last event time to believe, epoch milliseconds.

    Raises SpecError for a wish that no column fits, NotEnoughData when there is nothing to learn.
    """
    for role in ("target", "time", "key"):
        wish = getattr(wishes, role)
        if wish is not None and wish not in readings:
            raise SpecError(f"--{role}: the file has no column {wish!r}{nearest(wish, readings)}")
    wished = {w for w in (wishes.target, wishes.time, wishes.key) if w}
    key = _key(readings, wishes.key, wished)
    taken = {k for k in (key.choice,) if k}
    time = _time(readings, wishes.time, wished | taken, latest)
    taken |= {t for t in (time.choice,) if t}
    target = _target(readings, wishes, taken | wished)
    task = _task(readings[target.choice].seen, wishes.task)
    name = target.choice
    if name in taken:
        raise SpecError(f"--target: {name!r} cannot be the time or the key as well")
    seen = readings[name].seen
    rejected = seen.missing
    if task.choice == "regression":
        rejected = seen.rows - seen.count(*NUMBERS)
    if time.choice:
        held = readings[time.choice].seen
        rejected += held.rows - held.count("time")
    return Roles(
        name, "classification" if task.choice == "classification" else "regression",
        time.choice or None, key.choice or None, [target, task, time, key], rejected,
    )  # fmt: skip


def _key(readings: Readings, wish: str | None, wished: set[str]) -> Guess:
    if wish is not None:
        seen = readings[wish].seen
        why = "as asked" + ("" if seen.unique else "; rows with a key seen before are dropped")
        return Guess("key", wish, why, unsure=not seen.unique)
    unique = [r.seen for r in readings.values() if r.identifies and r.seen.name not in wished]
    real = [s for s in unique if s.unique and not s.running and s.longest <= 256 and _named(s)]
    others = tuple(s.name for s in unique if s not in real and s.unique and s.name.strip())
    if not real:
        # A file that counts its rows from 1 would, next month, replace those of this one.
        why = "no column is sure to name a row for ever"
        return Guess("key", "", why, unsure=bool(others), others=others)
    why = "every row has another value" + ("" if len(real) == 1 else "; so have others")
    return Guess("key", real[0].name, why, len(real) > 1, tuple(s.name for s in real[1:]) + others)


def _named(seen: Seen) -> bool:
    line = next(iter(seen.examples.values()), (0, ""))
    return names.identity(seen.name) or bool(_UUID(line[1])) or (
        bool(seen.count("whole", "code")) and names.numbered(seen.name)
    )  # fmt: skip


def _time(readings: Readings, wish: str | None, taken: set[str], latest: int) -> Guess:
    if wish is not None:
        if readings[wish].kind != "time":
            raise SpecError(f"--time: {wish!r} holds no ISO 8601 times: {readings[wish].why}")
        return Guess("time", wish, "as asked")
    found = [
        r.seen
        for r in readings.values()
        if r.kind == "time" and r.seen.name not in taken and r.seen.distinct != 1
        and r.seen.missing <= 0.01 * r.seen.rows and (r.seen.high or 0.0) <= latest
    ]  # fmt: skip
    if not found:
        return Guess("time", "", "no column holds ISO 8601 times; rows are split by hash")
    found.sort(key=lambda s: (-s.rising, -names.moment(s.name), s.low or 0.0))
    best, others = found[0], tuple(s.name for s in found[1:])
    why = "ISO 8601 times" + (", and the rows stand in their order" if best.rising else "")
    return Guess("time", best.name, why, bool(others), others)


def _target(readings: Readings, wishes: Wishes, taken: set[str]) -> Guess:
    if wishes.target is not None:
        return Guess("target", wishes.target, "as asked")
    able = [r.seen for r in readings.values() if r.seen.name not in taken and _learnable(r, wishes)]
    if not able:
        raise NotEnoughData(
            "no column could be a target: a text of 2 to 50 values, or numbers, in most rows. "
            f"The columns: {_told(readings.values())}"
        )
    place = {seen.name: i for i, seen in enumerate(able)}
    best = max(able, key=lambda s: (names.target(s.name), _filled(s), place[s.name]))
    level = names.target(best.name)
    rivals = [s.name for s in reversed(able) if s is not best and names.target(s.name)]
    if level == 2 and _filled(best):
        same = any(names.target(name) == 2 for name in rivals)
        return Guess("target", best.name, "its name", same, tuple(rivals[:4]))
    last = [s.name for s in reversed(able[-3:]) if s is not best and s.name not in rivals]
    why = "its name" if level else "the last column that could be"
    return Guess("target", best.name, why, True, tuple([*rivals, *last][:4]))


def _filled(seen: Seen) -> bool:
    return seen.missing <= 0.05 * seen.rows


def _learnable(reading: Reading, wishes: Wishes) -> bool:
    seen = reading.seen
    if reading.kind not in ("number", "category") or seen.missing > 0.5 * seen.rows:
        return False
    if seen.distinct == 1:
        return False
    number = reading.kind == "number"
    if wishes.task == "regression":
        return number
    classes = seen.distinct is not None and 2 <= seen.distinct <= MOST_CLASSES
    return classes if wishes.task == "classification" else number or classes


def _task(seen: Seen, wish: Task | None) -> Guess:
    """Raises NotEnoughData for a target that is neither classes nor numbers."""
    numbers, classes = seen.share(*NUMBERS) >= 0.95 and not seen.booleans, seen.distinct
    some = classes is not None and 2 <= classes <= MOST_CLASSES
    said = f"{seen.name!r} has {'one value' if classes == 1 else _how_many(seen)}"
    if classes is not None and classes < 2:
        raise NotEnoughData(f"the target {said}: there is nothing to learn")
    if wish == "regression" and not numbers:
        raise NotEnoughData(f"the target {said}; a regression needs numbers{_written(seen)}")
    if wish == "classification" and not some:
        raise NotEnoughData(f"the target {said}; more than {MOST_CLASSES} are no classes")
    if not numbers and not some:
        raise NotEnoughData(
            f"the target {said}: more than {MOST_CLASSES} are no classes, and they are no "
            f"numbers{_written(seen)}"
        )
    if wish:
        return Guess("task", wish, "as asked")
    if not numbers:
        return Guess("task", "classification", f"{said}, as text")
    whole = not seen.count("decimal")
    if classes == 2:
        return Guess("task", "classification", said)
    if whole and some and classes is not None and classes <= FEW_CLASSES:
        return Guess("task", "classification", f"{said}, whole numbers", True, ("regression",))
    others = ("classification",) if some and whole else ()
    return Guess("task", "regression", f"{said}, numbers", bool(others), others)


def _how_many(seen: Seen) -> str:
    if seen.counts is None:
        return "thousands of values"
    if seen.low is not None and seen.high is not None and len(seen.counts) > FEW_CLASSES:
        return f"{len(seen.counts):,} values from {seen.low:.6g} to {seen.high:.6g}"
    return f"{len(seen.counts)} values ({listed(sorted(seen.counts), 4)})"


def _written(seen: Seen) -> str:
    for form in ("commas", "unit", "date", "text"):
        if form in seen.examples:
            line, text = seen.examples[form]
            return f" (line {line}: {text[:40]!r})"
    return ""


def _told(readings: Iterable[Reading]) -> str:
    said = [f"{r.seen.name!r} {r.why}" for r in readings]
    return "; ".join(said[:5]) + (f"; and {len(said) - 5:,} more" if len(said) > 5 else "")
