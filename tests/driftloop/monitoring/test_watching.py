"""What the windows of a version amount to for its alarms."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from driftloop.monitoring.state import State
from driftloop.monitoring.watching import quarantined, watch
from driftloop.spec import Monitor
from driftloop.watch import Watch
from driftloop.when import from_ms, iso

DAY = 86_400_000
Window = tuple[float | None, float | None]


def found(kind: str, action: str) -> dict[str, Any]:
    return {"kind": kind, "action": action, "text": f"It is {kind}.", "features": ["x"]}


def state(windows: list[Window], reasons: dict[int, dict[str, Any]] | None = None) -> State:
    """Windows of version 1, a day each: drift and performance."""
    made = State(DAY)
    for day, (drift, performance) in enumerate(windows):
        reason = (reasons or {}).get(day)
        entry = {"drift": drift, "performance": performance, "diagnosis": reason}
        made.note(day * DAY, 1, entry)
    return made


def said(windows: list[Window], alarm: str = "1 of 1", **reasons: Any) -> Watch:
    monitor = Monitor.model_validate({"alarm": alarm, "performance": {"metric": "log_loss"}})
    named = {int(day.removeprefix("day")): reason for day, reason in reasons.items()}
    found = watch(state(windows, named), 1, monitor)
    assert found is not None
    return found


def day(number: int) -> str:
    return iso(from_ms(number * DAY))


def test_quiet_windows_say_how_quiet() -> None:
    quiet = said([(0.5, 0.7), (0.4, None)])
    assert quiet == Watch(1, day(1), day(2), "", 0.4, 0.7)


def test_nothing_is_said_of_a_version_without_a_judged_window() -> None:
    assert watch(state([(None, None)]), 1, Monitor()) is None
    assert watch(state([(2.0, None)]), 2, Monitor()) is None


def test_it_tells_since_when_and_why() -> None:
    moved = said([(0.5, None), (2.0, None), (3.0, None)], day1=found("unit_bug", "quarantine"),
                 day2=found("population_shift", "retrain"))  # fmt: skip
    assert (moved.since, moved.drift_ratio, moved.kind) == (day(1), 3.0, "population_shift")
    assert (moved.text, moved.features) == ("It is population_shift.", ["x"])


def test_m_of_n_stands_through_a_gap_and_keeps_its_beginning() -> None:
    windows: list[Window] = [(r, None) for r in (0.1, 2.0, 0.1, 3.0, 0.1, 4.0, 0.1, 0.1)]
    wanted = [("", None), ("", 0.1), ("", 0.1), (day(1), 2.0), ("", 0.1), (day(3), 3.0),
              ("", 0.1), ("", 0.1)]  # fmt: skip
    told = [said(windows[: n + 1], "2 of 3") for n in range(len(windows))]
    assert [(each.since, each.drift_ratio) for each in told] == wanted
    assert {each.windows for each in told} == {"2 of 3"}
    assert said(windows).windows == ""


def test_labels_of_an_older_window_count_beside_the_newest() -> None:
    flipped = said([(0.5, 3.0), (0.5, None)], day0=found("concept_shift", "retrain"))
    assert (flipped.window, flipped.since, flipped.kind) == (day(1), day(0), "concept_shift")
    assert (flipped.drift_ratio, flipped.performance_ratio) == (0.5, 3.0)
    assert (flipped.other, flipped.besides) == (None, "")


def test_of_two_reasons_the_more_careful_one_is_told() -> None:
    both = said([(0.5, 3.0), (9.0, None)], day0=found("concept_shift", "retrain"),
                day1=found("unit_bug", "quarantine"))  # fmt: skip
    assert (both.kind, both.since) == ("unit_bug", day(1))
    assert (both.other, both.besides) == ("concept_shift", "It is concept_shift.")
    both = said([(0.5, 3.0), (9.0, None)], day0=found("bad_release", "roll_back"),
                day1=found("population_shift", "retrain"))  # fmt: skip
    assert (both.kind, both.since) == ("bad_release", day(0))


def test_what_nothing_explains_is_not_ignored_with_what_is() -> None:
    """law_4: a season may be let be; that answers got worse, nobody knows why, may not."""
    both = said([(0.5, 3.0), (9.0, None)], day1=found("population_shift", "ignore"))
    assert (both.kind, both.since, both.performance_ratio) == (None, day(0), 3.0)
    assert both.other == "population_shift"


def test_what_the_spec_does_not_watch_is_not_told() -> None:
    windows = state([(5.0, 5.0)])
    assert watch(windows, 1, Monitor(drift=False)) is None
    only = watch(windows, 1, Monitor())
    assert only and (only.drift_ratio, only.performance_ratio) == (5.0, None)


@given(
    st.lists(st.one_of(st.none(), st.floats(0, 4)), min_size=1, max_size=12),
    st.sampled_from(["1 of 1", "2 of 3", "3 of 3", "1 of 4"]),
)
def test_while_an_alarm_stands_its_beginning_stays(ratios: list[float | None], alarm: str) -> None:
    since = ""
    for n in range(len(ratios)):
        now = watch(state([(r, None) for r in ratios[: n + 1]]), 1, Monitor(alarm=alarm))
        if now is None:
            continue
        assert bool(now.since) is ((now.drift_ratio or 0.0) > 1.0) and now.since <= now.window
        assert not since or not now.since or now.since == since
        since = now.since


def test_windows_under_quarantine_are_listed_and_old_ones_stay() -> None:
    made = state([(0.1, None), (9.0, None)], {1: found("unit_bug", "quarantine")})
    assert quarantined(made, []) == [[DAY, 2 * DAY, 1]]
    old = [[-5 * DAY, -4 * DAY, 7], [0, DAY, 1]]  # the second was restated: it is well now
    assert quarantined(made, old) == [[-5 * DAY, -4 * DAY, 7], [DAY, 2 * DAY, 1]]
    assert quarantined(made, quarantined(made, old)) == quarantined(made, old)
    other = [[0, 2 * DAY, 1], [DAY, 2 * DAY, 2]]  # another length, another version: not looked at
    assert quarantined(made, other) == [*other[:1], [DAY, 2 * DAY, 1], *other[1:]]
