"""The demo's client: flights in order, by day of flying, in requests of a bearable size."""

from driftloop.spec import Spec
from infra.cli.demo import flights
from infra.cli.synth import EXAMPLE, ROOT

SPEC = Spec.load(ROOT / EXAMPLE)


def test_february_is_asked_in_order_and_none_is_left_out():
    found = flights.read(2, SPEC)
    assert len(found) == 23611
    days = list(flights.days(found))
    assert [str(day) for day, _ in (days[0], days[-1])] == ["2013-02-01", "2013-02-28"]
    asked = [f for _, day in days for batch in flights.batches(day) for f in batch]
    assert asked == found == sorted(found, key=lambda f: f.departs)
    for _, day in days:
        for batch in flights.batches(day):
            assert len(batch) <= flights.MOST_ROWS
            assert batch[-1].departs - batch[0].departs <= flights.MOST_SPAN


def test_what_is_asked_holds_no_answer():
    flight = flights.read(2, SPEC)[0]
    assert set(flight.instance) == {*SPEC.features, "flight_id", "sched_dep"}
    assert isinstance(flight.instance["hour"], float)
    assert flight.late in (0, 1)
