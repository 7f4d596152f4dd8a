"""Rejected rows as they are kept."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from driftloop.rejects.quarantine import Rejected, Writer, by_rules, lines, reasons_in_words

ROWS = [
    Rejected(2, "hour", "not_a_number", "x" * 1000, "t" * 50_000),
    Rejected(3, "", "unreadable_row", ["a", {}], "é\ud800"),
    Rejected(7, "mild", "breaks_rule", {"temp": 1.5, "tail": None}, "1,2", "incoming/toy/a.csv"),
]


def test_files_one_behind_the_other_are_one_and_the_same_rows_give_the_same_bytes(
    tmp_path: Path,
) -> None:
    for name, rows in (("a", ROWS[:1]), ("b", ROWS[1:]), ("c", ROWS[1:])):
        with Writer(tmp_path / name) as writer:
            for row in rows:
                writer.add(row)
        assert writer.count == len(rows)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert b == c
    assert gzip.decompress(a + b) == gzip.decompress(lines(ROWS))


def test_what_is_long_is_cut_and_what_is_no_scalar_is_text() -> None:
    text = gzip.decompress(lines(ROWS)).decode("utf-8", "surrogatepass")
    first, second, third = map(json.loads, text.splitlines())
    assert (len(first["value"]), len(first["text"])) == (256, 16_384)
    assert (second["value"], second["text"]) == ("['a', {}]", "é\ud800")
    assert "file" not in first and third["file"] == "incoming/toy/a.csv"
    assert third["value"] == {"temp": 1.5, "tail": None}


def test_reasons_are_told_most_frequent_first() -> None:
    reasons = {"null|temp": 2, "not_a_number|hour": 2, "null|hour": 5, "unreadable_row|": 1}
    assert by_rules(reasons) == {"null": 7, "not_a_number": 2, "unreadable_row": 1}
    assert reasons_in_words(reasons) == (
        "null in hour ×5, not_a_number in hour ×2, null in temp ×2, unreadable_row ×1"
    )


def test_a_value_is_kept_as_json_that_everybody_reads() -> None:
    """Neither Infinity nor half a character, at whatever depth."""
    odd = {"a": float("inf"), "\ud800": "\ud800", "b": 10**400, "c": {"d": float("nan")}}
    text = gzip.decompress(lines([Rejected(2, "hour", "not_a_number", odd, "")])).decode()
    assert "\\ud800" in text and "Infinity" not in text and "NaN" not in text
