import json

from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop.capture_lines import MAX_LINE, MAX_NAMES, Captured, columns, lines
from driftloop.ids import prediction_ids, sampled

VALUES = st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


def captured(rows, predictions=None, names=None):
    width = len(rows[0]) if rows else 0
    return Captured(
        model="flights", version=7, role="champion", time=1000, request="r-1",
        columns=names or [f"c{i}" for i in range(width)],
        ids=prediction_ids("r-1", 1000, len(rows)), rows=rows,
        predictions=predictions or [0.5] * len(rows),
    )  # fmt: skip


def joined(found):
    """Every (id, row, prediction) of the lines, in order."""
    parts = [json.loads(line) for line in found]
    assert [p["part"] for p in parts] == list(range(len(parts)))
    assert all(p["parts"] == len(parts) for p in parts)
    return [
        entry for p in parts for entry in zip(p["ids"], p["rows"], p["predictions"], strict=True)
    ]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(VALUES, min_size=3, max_size=3), min_size=1, max_size=300))
def test_every_row_is_on_exactly_one_short_line(rows):
    what = captured(rows)
    found = lines(what, 1.0)
    assert all(len(line.encode()) <= MAX_LINE for line in found)
    assert [name for name, _, _ in joined(found)] == what.ids
    for (_, kept, _), row in zip(joined(found), rows, strict=True):
        for a, b in zip(kept, row, strict=True):
            assert a == b or len(str(b)) > 15


def test_ten_thousand_rows_go_to_numbered_parts():
    what = captured([[7.5, "UA", i] for i in range(10_000)])
    found = lines(what, 1.0)
    assert 10 < len(found) < 40
    assert [row for _, row, _ in joined(found)] == what.rows


def test_a_value_or_a_row_too_long_is_cut_not_lost():
    wide = [["\U0001f600" * 5000] * 400, [10**300] * 400]
    found = lines(captured(wide, names=[f"c{i}" for i in range(400)]), 1.0)
    assert all(len(line) <= MAX_LINE for line in found)
    assert len(joined(found)) == 2
    assert json.loads(lines(captured([["x" * 300]]), 1.0)[0])["rows"] == [["x" * 255 + "…"]]


def test_the_widest_row_a_spec_allows_fits_a_line():
    names = [f"{'x' * 25}{i:03d}" for i in range(501)]
    assert len(json.dumps(names)) < MAX_NAMES < len(json.dumps([name + "x" for name in names]))
    for value in (-1.2345678901234567e-300, -(10**300), "\U0001f600" * 300, "\U0001f600", "\0"):
        found = lines(captured([[value] * 501] * 2, [[1.234567890123456e-09] * 50] * 2, names), 1.0)
        assert found and all(len(line) <= MAX_LINE for line in found)


def test_the_sample_is_by_id():
    what = captured([[i] for i in range(1000)])
    kept = [name for name, _, _ in joined(lines(what, 0.3))]
    assert kept == [name for name in what.ids if sampled(name, 0.3)]
    assert lines(what, 0.0) == []


def test_redacted_columns_never_reach_the_log():
    assert columns(["hour", "name"], "flight_id", ["name"]) == ["hour", "flight_id"]
    assert columns(["hour", "name"], "flight_id", ["name", "flight_id"]) == ["hour"]
    assert columns(["hour"], None, []) == ["hour"]


def test_a_whole_number_of_64_bits_is_kept_in_a_long_row_too():
    """It may be the user's key, by which labels find the row."""
    row = [2**63 + 1, *(["x" * 30] * 20)]
    assert json.loads(lines(captured([row]), 1.0)[0])["rows"] == [row]
