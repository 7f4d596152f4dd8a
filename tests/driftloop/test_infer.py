"""What a spec becomes of what was seen: each decision, and its way out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from driftloop.errors import NotEnoughData, SpecError
from driftloop.infer import Guess, Inferred, Learned, Seen, Table, Wishes, infer
from driftloop.infer.column import read
from driftloop.infer.seen import Form

NOW = 1_700_000_000_000
DAY = 86_400_000


def seen(name: str, values: Sequence[str], **more: Any) -> Seen:
    """Of numbers, codes and texts as a file holds them; ``more`` overrides."""
    known = [v for v in values if v not in ("", "NA")]

    def form(value: str) -> Form:
        try:
            number = float(value)
        except ValueError:
            return "text"
        if value[0] == "0" and value.isdigit() and len(value) > 1:
            return "code"
        return "whole" if number == int(number) else "decimal"

    forms: dict[Form, int] = dict(Counter(map(form, known)))
    numbers = [float(v) for v in known if form(v) != "text"]
    plain = [n for n in numbers if abs(n) not in (999, 9999)] or [0.0]
    numeric = len(numbers) == len(values)
    facts: dict[str, Any] = {
        "rows": len(values), "blank": values.count(""), "forms": forms,
        "nulls": dict(Counter(v for v in values if v == "NA")),
        "examples": {form(v): (i + 2, v) for i, v in reversed(list(enumerate(values))) if v},
        "counts": dict(Counter(known)),
        "unique": len(set(known)) == len(values),
        "running": numeric and all(b == a + 1 for a, b in pairwise(numbers)),
        "low": min(plain), "high": max(plain),
        "placeholders": {n: numbers.count(n) for n in numbers if abs(n) in (999, 9999)},
        "longest": max(map(len, values)), "characters": sum(map(len, known)) / max(len(known), 1),
    }  # fmt: skip
    return Seen(name, **{**facts, **more})


def times(name: str, first: int, step: int, rows: int, **more: Any) -> Seen:
    """Epoch milliseconds, rising."""
    facts: dict[str, Any] = {
        "forms": {"time": rows}, "counts": None, "unique": True, "rising": True,
        "low": float(first), "high": float(first + step * (rows - 1)),
        "examples": {"time": (2, "2023-01-01T00:00:00Z")},
    }  # fmt: skip
    return Seen(name, rows, **{**facts, **more})


def some(rows: int = 300, **columns: Seen) -> Table:
    """A table with a number ``x`` and a target ``target`` of two classes, and ``columns``."""
    base = {"x": seen("x", [f"{i * 0.37 % 10:.2f}" for i in range(rows)])}
    base |= columns
    base |= {"target": seen("target", ["yes" if i % 3 else "no" for i in range(rows)])}
    return Table(tuple(base.values()), rows)


def inferred(table: Table, learned: Learned | None = None, **wishes: Any) -> Inferred:
    return infer("demo", table, Wishes(**wishes), NOW, learned)


def guess(found: Inferred, about: str) -> Guess:
    return next(g for g in found.guesses if g.about == about)


CYCLE = [str(i % 7) for i in range(300)]
KINDS: dict[str, tuple[Seen, str, str]] = {
    "numbers": (seen("a", [f"{i}.5" for i in range(300)]), "number", "seen 0.5 to 299.5"),
    "few whole numbers": (seen("rooms", CYCLE), "number", "seen 0 to 6"),
    "codes by name": (seen("region code", CYCLE), "category", "the name says code"),
    "codes by form": (seen("zip", [f"0{i % 9}" for i in range(300)]), "category", "9 values"),
    "words": (seen("city", ["Rome", "Oslo"] * 150), "category", "2 values: 'Oslo' 50.0%"),
    "constant": (seen("c", ["7"] * 300), "out", "is '7' in every row"),
    "nothing": (seen("n", ["", "NA"] * 150), "out", "no row has a value"),
    "hardly anything": (seen("h", ["1", "2"] + [""] * 298), "out", "only 0.7% of the rows"),
    "row numbers": (seen("i", [str(i) for i in range(300)]), "out", "numbers its rows"),
    "ids": (seen("user_id", [str(i * 37 % 311) for i in range(300)]), "out", "names its row"),
    "unique words": (seen("who", [f"u{i}" for i in range(300)]), "out", "names its row"),
    "ids of others": (seen("shop_id", [str(i * 37 % 200) for i in range(300)]), "out", "new ones"),
    "prose": (seen("t", [f"{i % 150} " + "word " * 20 for i in range(300)]), "out", "free text"),
    "many words": (seen("w", [f"w{i % 200}" for i in range(300)]), "out", "200 different texts"),
    "truths": (Seen("b", 300, forms={"whole": 300}, counts={"0": 100, "1": 200}, booleans=300),
               "category", "2 values"),
    "lists": (Seen("l", 300, forms={"nested": 300}), "out", "lists or objects"),
    "times": (times("at", NOW - 400 * DAY, DAY, 300), "time", "ISO 8601"),
    "no name": (seen("", CYCLE), "out", "has no name"),
    "not a name": (seen("a\nb", CYCLE), "out", "none a spec can hold"),
}  # fmt: skip


@pytest.mark.parametrize("case", KINDS.values(), ids=KINDS.keys())
def test_what_a_column_is_taken_for_and_why(case: tuple[Seen, str, str]) -> None:
    column, kind, why = case
    found = read(column)
    assert (found.kind, why in found.why) == (kind, True), found


@pytest.mark.parametrize(
    ("form", "text", "right"),
    [("commas", "1.234,5", "1234.5"), ("unit", "5 %", "bare number"), ("date", "31/12/13", "ISO")],
)
def test_numbers_and_dates_in_another_dress_are_left_out_with_what_to_write(
    form: Form, text: str, right: str
) -> None:
    found = read(
        Seen("a", 9, forms={form: 9}, counts={text: 9, "x": 0}, examples={form: (2, text)})
    )
    assert found.kind == "out" and found.unsure
    assert f"line 2: {text!r}" in found.why and right in found.why


def test_a_stray_costs_a_row_and_many_cost_the_column() -> None:
    numbers = [f"{i}.5" for i in range(300)]
    one = read(seen("a", ["?", *numbers]))
    assert (one.kind, one.strays, one.unsure) == ("number", 1, True)
    assert one.others == ("1 row will be rejected: '?' in line 2 is no number",)
    many = read(seen("a", ["?"] * 30 + numbers))
    assert many.kind == "out"
    assert "9.1% of its values are no numbers ('?' in line 2); write an empty cell" in many.why


def test_a_missing_number_may_be_written_na_and_a_missing_word_may_not() -> None:
    assert read(seen("a", ["NA", "", *(f"{i}.5" for i in range(98))])).words == {
        "type": "number", "nullable": True,
    }  # fmt: skip
    word = read(seen("a", ["NA"] * 50 + ["x"] * 50))
    assert word.words == {"type": "category"}
    assert "'NA' is a value like others" in word.others[0]
    assert read(seen("a", [""] * 50 + ["x", "y"] * 25)).words == {
        "type": "category", "nullable": True,
    }  # fmt: skip


def test_no_range_is_set_since_tomorrow_may_honestly_leave_it() -> None:
    words = read(seen("a", [f"{i}.5" for i in range(3000)])).words
    assert words == {"type": "number"}


def test_categories_are_fixed_only_for_yes_and_no_since_tomorrow_may_bring_a_new_one() -> None:
    assert "categories" not in read(seen("origin", ["EWR", "JFK", "LGA"] * 500)).words
    assert read(seen("flag", ["yes", "no"] * 20)).words["categories"] == ["no", "yes"]
    many = read(seen("dest", [f"d{i % 94}" for i in range(3000)]))
    assert many.words == {"type": "category", "max_categories": 200}


def test_doubts_about_values_are_told() -> None:
    far = read(seen("a", ["-999"] * 5 + [f"{i % 50}.5" for i in range(300)]))
    assert far.others[0].startswith("-999 stands in 5 rows, all others are 0.5 to 49.5")
    near = read(seen("a", ["999"] + [f"{i * 7}.5" for i in range(300)]))
    assert not near.others
    twins = read(seen("a", ["New York", "new york "] * 50))
    assert "are counted apart" in twins.others[0]


def test_the_target_is_the_column_named_so_else_the_last_one() -> None:
    found = inferred(some(z=seen("z", CYCLE)))
    assert found.spec.target == "target" and not guess(found, "target").unsure
    table = some(rows=300)
    renamed = Table((*table.columns[:1], seen("t", ["yes", "no", "no"] * 100)), 300)
    found = inferred(renamed)
    assert found.spec.target == "t"
    assert guess(found, "target") == Guess(
        "target", "t", "the last column that could be", True, ("x",)
    )
    assert inferred(some(), target="x").spec.task == "regression"


@pytest.mark.parametrize(
    ("values", "task", "unsure"),
    [
        (["a", "b", "c"] * 100, "classification", False),
        (["0", "1"] * 150, "classification", False),
        (["0.0", "1.0"] * 150, "classification", False),
        (["3", "4", "5", "6"] * 75, "classification", True),
        ([str(i % 30) for i in range(300)], "regression", True),
        ([f"{i}.5" for i in range(300)], "regression", False),
    ],
)
def test_the_task_follows_from_the_target(values: list[str], task: str, unsure: bool) -> None:
    table = Table((some().columns[0], seen("y", values)), 300)
    found = inferred(table)
    assert (found.spec.task, guess(found, "task").unsure) == (task, unsure)


@pytest.mark.parametrize(
    ("target", "task", "why"),
    [
        (seen("y", ["5"] * 300), None, "one value"),
        (seen("y", [f"w{i % 90}" for i in range(300)]), None, "more than 50 are no classes"),
        (seen("y", ["a", "b"] * 150), "regression", "a regression needs numbers (line 2: 'a')"),
        (seen("y", [f"{i}.5" for i in range(300)]), "classification", "no classes"),
    ],
)
def test_a_target_nothing_can_be_learned_of_is_refused_in_words(
    target: Seen, task: str | None, why: str
) -> None:
    with pytest.raises(NotEnoughData) as refused:
        inferred(Table((some().columns[0], target), 300), target="y", task=task)
    assert why in str(refused.value)


def test_a_wish_no_column_fits_is_refused_with_the_nearest() -> None:
    with pytest.raises(SpecError, match="--target: the file has no column 'tarrget'; did you mean"):
        inferred(some(), target="tarrget")
    with pytest.raises(SpecError, match="--time: 'x' holds no ISO 8601 times"):
        inferred(some(), time="x")


def test_a_file_without_anything_to_learn_from_is_refused_with_reasons() -> None:
    with pytest.raises(NotEnoughData, match="from: 'c': is '7' in every row"):
        inferred(Table((seen("c", ["7"] * 300), seen("y", ["a", "b"] * 150)), 300))
    with pytest.raises(NotEnoughData, match="from: the file has no other one"):
        inferred(Table((seen("y", ["a", "b"] * 150),), 300))
    with pytest.raises(NotEnoughData, match="no column could be a target"):
        inferred(Table((seen("c", ["7"] * 300),), 300))
    with pytest.raises(NotEnoughData, match="no row"):
        inferred(Table((), 0))
    wide = {f"c{i}": seen(f"c{i}", CYCLE) for i in range(600)}
    with pytest.raises(NotEnoughData, match="601 columns to learn from, and a spec holds 500"):
        inferred(some(**wide))


def test_a_key_names_rows_for_ever_and_a_row_number_does_not() -> None:
    """A file that counts its rows from 1 would, month after month, replace those before it."""
    running = seen("id", [str(i + 1) for i in range(300)])
    found = inferred(some(id=running))
    assert found.spec.key is None and "id" not in found.spec.features
    assert guess(found, "key").others == ("id",)
    ids = seen("order_id", [str(i * 37 % 311) for i in range(300)])
    assert inferred(some(order_id=ids)).spec.key == "order_id"
    assert inferred(some(id=running), key="id").spec.key == "id"


def test_the_event_time_is_whole_past_and_best_in_order() -> None:
    sold = times("sold_at", NOW - 400 * DAY, DAY, 300)
    due = times("due", NOW + 10 * DAY, DAY, 300)
    found = inferred(some(due=due, sold_at=sold))
    assert (found.spec.time, guess(found, "time").unsure) == ("sold_at", False)
    assert guess(found, "left out.due").why.startswith("a time is no feature")
    gaps = times("seen", NOW - 400 * DAY, DAY, 300, blank=10, forms={"time": 290})
    assert inferred(some(seen=gaps)).spec.time is None
    shuffled = times("a", NOW - 500 * DAY, DAY, 300, rising=False)
    both = inferred(some(a=shuffled, sold_at=sold))
    assert (both.spec.time, guess(both, "time").others) == ("sold_at", ("a",))


def test_what_is_left_out_may_stay_in_uploads() -> None:
    assert inferred(some()).spec.data.other_columns == "refuse"
    assert inferred(some(c=seen("c", ["7"] * 300))).spec.data.other_columns == "ignore"


def test_small_data_get_a_holdout_to_judge_by_and_large_data_fewer_trials() -> None:
    assert inferred(some(rows=178)).spec.data.holdout == 0.2
    assert inferred(some(rows=90)).spec.data.holdout == 0.25
    few = inferred(some(rows=20))
    assert "too few to learn from" in guess(few, "data.holdout").why
    numbers = Table((some(100).columns[0], seen("y", [f"{i}.5" for i in range(100)])), 100)
    assert inferred(numbers).spec.data.holdout > 0.2, "a hash may deal one side less than its share"
    assert inferred(some()).spec.training.trials == 8
    large = Table(some().columns, 1_000_000)
    assert inferred(large).spec.training.trials == 4


def test_a_gate_is_set_only_where_any_model_can_pass() -> None:
    for table in (some(), Table(tuple(reversed(some().columns)), 300)):
        gates = inferred(table).spec.gates
        assert not gates.metrics and gates.latency_ms is None
        assert gates.beats_champion is not None


def test_a_window_is_wide_enough_to_fill() -> None:
    rare = inferred(some(at=times("at", NOW - 400 * DAY, DAY, 300))).spec
    assert rare.to_json() and rare.monitor.window.days == 7 and rare.monitor.min_rows == 50
    busy = inferred(some(3000, at=times("at", NOW - 9 * DAY, DAY // 1000, 3000))).spec.monitor
    assert (busy.window.days, busy.min_rows) == (1, 500)


def test_rows_without_a_target_raise_what_may_be_rejected() -> None:
    target = seen("target", ["", *["a", "b"] * 4] * 33)
    table = Table((seen("x", [f"{i}.5" for i in range(297)]), target), 297)
    found = inferred(table)
    assert found.spec.target == "target" and guess(found, "target").unsure
    assert found.spec.data.reject_above > 33 / 297
    assert "11.1% of the rows are rejected" in guess(found, "data.reject_above").why


def test_what_trying_it_out_taught_is_obeyed() -> None:
    table = some(copy=seen("copy", ["good", "bad"] * 150))
    found = inferred(table, Learned({"copy": "gives 'target' away"}, 30, 60, ""))
    assert "copy" not in found.spec.features
    assert guess(found, "left out.copy").why == "gives 'target' away"
    assert found.spec.data.duplicates == "keep" and found.spec.data.reject_above > 0.1
    timed = some(at=times("at", NOW - 400 * DAY, DAY, 300))
    split = inferred(timed, Learned(by_hash="one class only")).spec.data.split
    assert (split.by, split.stratify) == ("hash", True)
