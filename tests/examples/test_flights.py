"""The shipped example data, and the script that made them."""

import gzip
import importlib.util
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "flights"
FLIGHT = {"year": "2013", "month": "1", "day": "1", "arr_delay": "16", "carrier": "UA",
          "flight": "1545", "origin": "EWR", "dest": "IAH", "distance": "1400", "hour": "5",
          "minute": "15", "time_hour": "2013-01-01T10:00:00Z"}  # fmt: skip
SKY = {"origin": "EWR", "time_hour": "2013-01-01T10:00:00Z", "temp": "39.02", "dewp": "NA",
       "humid": "64.43", "wind_speed": "12.658579999999999", "precip": "0", "pressure": "1011.9",
       "visib": "10"}  # fmt: skip


@pytest.fixture
def make():
    spec = importlib.util.spec_from_file_location("make_flights", FOLDER / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_twelve_months_of_every_flight_that_arrived():
    rows = [len(gzip.decompress(p.read_bytes()).splitlines()) - 1
            for p in sorted(FOLDER.glob("2013-*.csv.gz"))]  # fmt: skip
    assert len(rows) == 12
    assert sum(rows) == 327_346
    assert sum(p.stat().st_size for p in FOLDER.glob("*.gz")) < 6_000_000


def test_one_row_is_a_flight_with_the_weather_of_its_hour(make):
    ((month, row),) = make.examples([FLIGHT, {**FLIGHT, "arr_delay": "NA"}], [SKY])
    assert month == 1
    assert dict(zip(make.COLUMNS, row, strict=True)) == {
        "flight_id": "130101-UA1545-EWR", "sched_dep": "2013-01-01T10:15:00Z", "hour": "5",
        "weekday": "1", "distance": "1400", "carrier": "UA", "origin": "EWR", "dest": "IAH",
        "temp": "39.02", "dewp": "", "humid": "64.43", "wind_speed": "12.66", "precip": "0",
        "pressure": "1011.9", "visib": "10", "late": "1",
    }  # fmt: skip


def test_the_same_rows_give_the_same_bytes(make, tmp_path):
    rows = [row for _, row in make.examples([FLIGHT, {**FLIGHT, "flight": "9"}], [SKY])]
    first, second = tmp_path / "a.gz", tmp_path / "b.gz"
    make.write(first, rows)
    make.write(second, rows[::-1])
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes()[4:8] == b"\0\0\0\0"  # no time in the header
