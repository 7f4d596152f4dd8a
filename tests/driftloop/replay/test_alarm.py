"""The alarm on a ratio: what makes it go off, and what does not."""

from __future__ import annotations

import pytest

from driftloop import emf
from driftloop.event import read
from driftloop.replay.alarm import METRICS, Alarm
from driftloop.replay.events import alarmed


def line(cause: str, value: float) -> str:
    return emf.line("dev", 0, {"model": "toy"}, {METRICS[cause]: (value, "None")})


@pytest.mark.parametrize("cause", METRICS)
def test_it_goes_off_once_and_again_after_it_was_quiet(cause: str) -> None:
    alarm = Alarm(cause)
    heard = [[0.5], [1.5], [2.0], [], [1.0], [3.0], [0.2, 1.1]]
    rings = [alarm.hear([line(cause, v) for v in values], now) for now, values in enumerate(heard)]
    assert rings == [False, True, False, False, False, True, False]
    assert alarm.since == 5


def test_it_hears_its_own_metric_only() -> None:
    alarm = Alarm("drift")
    assert not alarm.hear([line("performance", 9.0)], 1) and alarm.since is None


def test_its_event_is_one_the_governor_understands() -> None:
    event = read(alarmed("toy", "drift", 1_000), "d1", "toy")
    assert (event.kind, event.cause, event.ignore) == ("alarm", "drift", "")
