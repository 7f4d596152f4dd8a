import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.clock import Clock, StillBusy

START = datetime(2013, 1, 1, tzinfo=UTC)


def test_stands_still_between_jumps() -> None:
    clock = Clock(START, speed=0)
    assert clock.now() == START
    clock.advance(timedelta(days=1))
    assert clock.now() == START + timedelta(days=1)
    clock.stop()


def test_runs_faster() -> None:
    clock = Clock(START, speed=100_000)
    fired = threading.Event()
    clock.call_later(3600, fired.set, "an hour later")
    assert fired.wait(5)
    assert clock.now() >= START + timedelta(hours=1)
    clock.stop()


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=20))
def test_jump_fires_in_order_at_its_moments(delays: list[int]) -> None:
    clock = Clock(START, speed=0)
    seen: list[float] = []
    for delay in delays:
        moment = START + timedelta(seconds=delay + 1)
        clock.call_at(moment, lambda: seen.append((clock.now() - START).total_seconds()), "x")
    clock.advance(timedelta(seconds=2000))
    assert seen == sorted(delay + 1 for delay in delays)
    clock.stop()


def test_what_a_callback_asks_for_is_still_part_of_the_jump() -> None:
    clock = Clock(START, speed=0)
    seen: list[datetime] = []

    def again() -> None:
        seen.append(clock.now())
        clock.call_later(3600, again, "hourly")

    clock.call_later(3600, again, "hourly")
    clock.advance(timedelta(hours=5))
    assert [moment.hour for moment in seen] == [1, 2, 3, 4, 5]
    clock.stop()


def test_jump_waits_for_work_in_flight() -> None:
    clock = Clock(START, speed=0)
    order: list[str] = []
    go = threading.Event()
    busy = clock.busy("slow work").__enter__()

    def work() -> None:
        go.wait(5)
        order.append("work")
        busy.__exit__(None, None, None)

    def jump() -> None:
        clock.advance(timedelta(hours=1))
        order.append("jump")

    threads = [threading.Thread(target=work), threading.Thread(target=jump)]
    for thread in threads:
        thread.start()
    go.set()
    for thread in threads:
        thread.join(5)
    assert order == ["work", "jump"]
    clock.stop()


def test_endless_work_is_named() -> None:
    clock = Clock(START, speed=0, patience=0.05)
    with clock.busy("a function that hangs"), pytest.raises(StillBusy, match="function that hangs"):
        clock.advance(timedelta(hours=1))
    clock.stop()


def test_pause_lays_work_down_and_takes_it_up() -> None:
    clock = Clock(START, speed=0)
    woke: list[datetime] = []
    busy = clock.busy("execution").__enter__()

    def execution() -> None:
        clock.pause(busy, 600)
        woke.append(clock.now())
        busy.__exit__(None, None, None)

    thread = threading.Thread(target=execution)
    thread.start()
    clock.advance(timedelta(hours=1))
    thread.join(5)
    assert woke == [START + timedelta(minutes=10)]
    assert clock.in_flight() == {}
    clock.stop()


def test_cancelled_callbacks_stay_silent() -> None:
    clock = Clock(START, speed=0)
    seen: list[int] = []
    clock.call_later(1, lambda: seen.append(1), "no").cancel()
    clock.advance(timedelta(minutes=1))
    assert seen == []
    clock.stop()


def test_time_does_not_run_backwards() -> None:
    clock = Clock(START)
    with pytest.raises(ValueError, match="backwards"):
        clock.speed = -1
    clock.stop()
