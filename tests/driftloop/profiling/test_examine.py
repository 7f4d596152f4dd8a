"""What is said of rows: each finding appears where it should, and stays away from honest rows."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from driftloop.data import canonical, rowhash
from driftloop.data.rows import kinds
from driftloop.profiling import association
from driftloop.profiling.changes import known
from driftloop.profiling.examine import Finding, examine
from driftloop.profiling.profile import Profile, merge
from driftloop.spec import Spec
from tests.conftest import FLIGHTS, ROOT

N = 2000
DAY = 86_400_000
START = 1_700_000_000_000 // DAY * DAY
Columns = dict[str, Any]


def spec_of(columns: Columns, task: str = "classification", **more: Any) -> Spec:
    features = {
        name: {"type": "category" if values.dtype == object else "number", "nullable": True}
        | ({"max_categories": 1000} if values.dtype == object else {})
        for name, values in columns.items() if name not in ("y", "at")
    }  # fmt: skip
    roles = {"time": "at"} if "at" in columns else {}
    return Spec.parse({"name": "m", "task": task, "target": "y", "features": features,
                       **roles, **more})  # fmt: skip


def profile(columns: Columns, spec: Spec) -> Profile:
    made = Profile.empty(spec)
    hashed = {}
    for name, values in columns.items():
        plain = canonical.texts(values.tolist()) if values.dtype == object else values
        hashed[name] = rowhash.values(plain)
    made.update(columns, rowhash.rows(hashed))
    return made


def clean(n: int = N, seed: int = 0, start: int = START) -> Columns:
    """A binary target that goes with two features and not with the third; a row a minute."""
    rng = np.random.default_rng(seed)
    x, shop = rng.normal(size=n), rng.choice(np.array(["a", "b", "c"], object), n)
    odds = 1.2 * x + np.where(shop == "a", 1.0, -0.3)
    return {
        "x": x,
        "shop": shop,
        "noise": rng.gamma(2.0, size=n),
        "y": np.where(rng.random(n) < 1 / (1 + np.exp(-odds)), "yes", "no").astype(object),
        "at": start + np.arange(n, dtype=np.int64) * 60_000,
    }


def numeric(n: int = N, seed: int = 0) -> Columns:
    rows = clean(n, seed)
    rng = np.random.default_rng(seed + 100)
    return {**rows, "y": 3 * rows["x"] + rng.normal(size=n)}


def found(columns: Columns, previous: Columns | None = None, **more: Any) -> list[Finding]:
    spec = spec_of(columns, **more)
    before = profile(previous, spec) if previous is not None else None
    return examine(profile(columns, spec), spec, before)


def rules(findings: list[Finding]) -> set[tuple[str, str]]:
    return {(f.rule, f.field) for f in findings}


def later(columns: Columns, days: int = 2) -> Columns:
    return {**columns, "at": columns["at"] + days * DAY}


def test_nothing_is_said_of_honest_rows() -> None:
    assert found(clean()) == []
    assert found(numeric(), task="regression") == []
    assert found(later(clean(seed=1)), clean()) == []
    assert found(later(numeric(seed=1)), numeric(), task="regression") == []
    assert examine(Profile.empty(spec_of(clean())), spec_of(clean())) == []


@pytest.mark.parametrize("n", [1, 2, 40])
def test_little_is_said_of_few_rows(n: int) -> None:
    assert {rule for rule, _ in rules(found(clean(n), clean()))} <= {"one_class", "constant"}
    assert {rule for rule, _ in rules(found(clean(), clean(n)))} <= set()


def test_a_column_with_one_value_tells_nothing() -> None:
    rows = clean()
    assert ("constant", "noise") in rules(found({**rows, "noise": np.full(N, 7.0)}))
    said = found({**rows, "shop": np.array(["only"] * N, object)})
    assert rules(said) == {("constant", "shop")}
    assert "'only'" in said[0].text


def test_a_constant_day_of_a_varied_past_is_nothing_new() -> None:
    past = clean(6 * 1440)
    weekday = {**past, "noise": np.repeat(np.arange(6.0), 1440)}
    day = later({**clean(1440, seed=1), "noise": np.full(1440, 3.0)}, 6)
    assert found(day, weekday) == []
    assert ("constant", "noise") in rules(found(day, past))


def test_a_column_without_values_is_empty_and_one_with_few_is_named() -> None:
    rows = clean()
    rows["noise"] = np.full(N, np.nan)
    assert rules(found(rows)) == {("empty", "noise")}
    some = clean()
    some["noise"] = np.where(np.arange(N) % 3 == 0, some["noise"], np.nan)
    (said,) = found(some)
    assert (said.rule, said.field) == ("mostly_missing", "noise")
    assert "66.7%" in said.text or "66.6%" in said.text


def test_a_running_number_and_a_text_of_its_own_are_ids() -> None:
    rows = clean()
    assert rules(found({**rows, "n": np.arange(N, dtype=np.float64)})) == {("id_like", "n")}
    names = np.array([f"u{i}" for i in range(N)], object)
    assert ("id_like", "n") in rules(found({**rows, "n": names}))
    whole = np.random.default_rng(0).integers(0, 500, N).astype(np.float64)
    assert found({**rows, "n": whole}) == []


def test_too_many_categories_look_like_an_id() -> None:
    spec = spec_of(clean())
    made = profile(clean(), spec)
    made.reject({"too_many_categories|shop": 3000})
    assert rules(examine(made, spec)) == {("id_like", "shop")}


def test_what_alone_tells_the_target_leaks() -> None:
    rows = clean()
    late = np.where(rows["y"] == "yes", 20.0, 5.0) + np.random.default_rng(1).random(N)
    assert ("leaking", "late") in rules(found({**rows, "late": late}))
    coded = np.where(rows["y"] == "yes", "A", "B").astype(object)
    assert ("leaking", "code") in rules(found({**rows, "code": coded}))
    absent = np.where(rows["y"] == "yes", rows["x"], np.nan)
    assert ("leaking", "absent") in rules(found({**rows, "absent": absent}))


def test_a_number_that_follows_the_target_leaks() -> None:
    rows = numeric()
    copy = np.exp(rows["y"])  # any scale
    assert ("leaking", "copy") in rules(found({**rows, "copy": copy}, task="regression"))


def test_a_text_of_its_own_does_not_leak() -> None:
    names = np.array([f"u{i}" for i in range(N)], object)
    assert "leaking" not in {rule for rule, _ in rules(found({**clean(), "n": names}))}


def test_features_that_say_the_same_are_named_once() -> None:
    rows = clean()
    rows |= {"f": rows["noise"] * 1.8 + 32, "g": -rows["noise"]}
    assert rules(found(rows)) == {("near_duplicate", "f"), ("near_duplicate", "g")}
    rows = clean()
    renamed = {"a": "Aachen", "b": "Bonn", "c": "Celle"}
    rows["town"] = np.array([renamed[s] for s in rows["shop"]], object)
    assert rules(found(rows)) == {("near_duplicate", "town")}


def test_a_rare_class_and_a_single_one_are_named() -> None:
    rows = clean()
    rows["y"][:12] = "maybe"
    (said,) = found(rows)
    assert said.rule == "imbalance"
    assert "'maybe' (12 rows, 0.6%)" in said.text
    rows["y"][:] = "yes"
    assert ("one_class", "y") in rules(found(rows))


def test_a_number_that_is_nearly_always_the_same_is_named() -> None:
    rows = numeric()
    rows["y"] = np.where(np.arange(N) % 20 == 0, rows["y"], 0.0)
    (said,) = found(rows, task="regression")
    assert said.rule == "imbalance"
    assert "is 0 in 95%" in said.text.replace("95.0%", "95%")


def test_a_hole_in_time_is_named_with_its_ends() -> None:
    rows = clean(6000)
    rows["at"][3000:] += 5 * DAY
    (said,) = found(rows)
    assert (said.rule, said.field) == ("time_gap", "at")
    assert "5 days" in said.text


def test_repeated_rows_are_named() -> None:
    rows = clean()
    twice = {name: np.tile(values, 2) for name, values in rows.items()}
    (said,) = found(twice)
    assert said.rule == "repeated_rows"
    assert "50.0%" in said.text
    spec = spec_of(rows)
    dropped = profile(rows, spec)
    dropped.reject({"duplicate|": N})
    assert rules(examine(dropped, spec)) == {("repeated_rows", "")}


def test_a_flood_of_duplicates_is_told_from_a_few() -> None:
    spec = spec_of(clean())
    before, now = profile(clean(), spec), profile(later(clean(seed=1)), spec)
    before.reject({"duplicate|": 40})
    now.reject({"duplicate|": 60})
    assert examine(now, spec, before) == []
    now.reject({"duplicate|": 500})
    assert rules(examine(now, spec, before)) == {("duplicate_flood", "")}


def test_rows_that_the_dataset_has_already_are_estimated() -> None:
    spec = spec_of(clean())
    old, new = clean(40_000), clean(20_000, seed=1, start=START + 40_000 * 60_000)
    mixed = {n: np.concatenate([new[n], old[n][:5000]]) for n in old}
    assert known(profile(mixed, spec), profile(old, spec)) == pytest.approx(0.2, abs=0.03)
    assert known(profile(new, spec), profile(old, spec)) == 0.0
    assert ("known_rows", "") in rules(found(mixed, old))


def test_swapped_labels_are_found() -> None:
    rows = later(clean(seed=1))
    rows["y"] = np.where(rows["y"] == "yes", "no", "yes").astype(object)
    assert ("label_flip", "y") in rules(found(rows, clean()))
    turned = later(numeric(seed=1))
    turned["y"] = -turned["y"]
    assert ("label_flip", "y") in rules(found(turned, numeric(), task="regression"))


def test_shuffled_labels_are_found() -> None:
    rows = later(clean(seed=1))
    rows["y"] = np.random.default_rng(5).permutation(rows["y"])
    assert ("label_noise", "y") in rules(found(rows, clean()))


def test_a_target_that_jumped_is_found() -> None:
    rows = later(clean(seed=1))
    rows["y"][np.random.default_rng(2).random(N) < 0.6] = "yes"
    assert ("target_moved", "y") in rules(found(rows, clean()))
    rows = later(numeric(seed=1))
    rows["y"] = rows["y"] * 1000 + 5000
    assert ("target_moved", "y") in rules(found(rows, numeric(), task="regression"))


def test_a_changed_unit_and_a_lost_column_are_shifts() -> None:
    rows = later(clean(seed=1))
    rows["noise"] = rows["noise"] * 2.54
    (said,) = found(rows, clean())
    assert (said.rule, said.field) == ("shift", "noise")
    assert "median" in said.text
    rows["noise"] = np.where(np.random.default_rng(2).random(N) < 0.4, np.nan, rows["noise"] / 2.54)
    (said,) = found(rows, clean())
    assert "missing in" in said.text
    rows = later(clean(seed=1))
    rows["shop"] = np.where(np.random.default_rng(2).random(N) < 0.5, "d", rows["shop"]).astype(
        object
    )
    assert ("shift", "shop") in rules(found(rows, clean()))


def test_a_season_that_came_before_is_no_shift() -> None:
    rng = np.random.default_rng(0)
    past = clean(8 * 1440)
    past["noise"] = np.repeat(np.arange(8.0) % 4, 1440) * 10 + rng.random(8 * 1440)
    day = later({**clean(1440, seed=1), "noise": 20 + rng.random(1440)}, 8)
    assert found(day, past) == []
    day["noise"] = 70 + rng.random(1440)
    assert ("shift", "noise") in rules(found(day, past))


def test_a_profile_of_other_columns_is_not_compared_with() -> None:
    spec = spec_of(clean())
    wider = spec_of({**clean(), "more": np.arange(N, dtype=float)})
    before = profile({**clean(), "more": np.arange(N, dtype=float)}, wider)
    assert examine(profile(clean(), spec), spec, before) == []


@functools.cache
def month(number: int) -> Profile:
    spec = Spec.load(FLIGHTS)
    shape = {
        name: {"number": pa.float64(), "text": pa.string(), "time": pa.timestamp("ms", "UTC")}[k]
        for name, k in kinds(spec).items()
    }
    table = pyarrow.csv.read_csv(
        ROOT / "examples" / "flights" / f"2013-{number:02d}.csv.gz",
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=shape, null_values=["", "NA"], strings_can_be_null=True
        ),
    ).combine_chunks()
    columns = {name: table[name].chunk(0) for name in table.column_names}
    made = Profile.empty(spec)
    made.update(columns, rowhash.values(canonical.texts(columns["flight_id"].to_pylist())))
    return made


@pytest.mark.parametrize("number", range(1, 13))
def test_months_of_flights_raise_no_false_alarm(number: int) -> None:
    """Seasons, storms and holidays included."""
    before = [month(n) for n in (number - 2, number - 1) if n > 0]
    previous = functools.reduce(merge, before) if before else None
    assert examine(month(number), Spec.load(FLIGHTS), previous) == []


def test_flights_with_swapped_labels_are_found() -> None:
    spec = Spec.load(FLIGHTS)
    flipped = Profile.from_json(month(4).to_json())
    late = flipped.sample.columns["late"]
    flipped.sample.columns["late"] = np.where(late == "1", "0", "1").astype(object)
    said = rules(examine(flipped, spec, merge(month(2), month(3))))
    assert said >= {("label_flip", "late"), ("target_moved", "late")}


def test_associations_are_what_their_papers_say() -> None:
    rng = np.random.default_rng(0)
    ones = np.ones(5000)
    x = rng.normal(size=5000)
    pair = np.column_stack([x, np.exp(x), -x, rng.normal(size=5000)])
    rho = association.rank_correlations(pair, ones)
    assert rho[0, 1] == pytest.approx(1.0)
    assert rho[0, 2] == pytest.approx(-1.0)
    assert abs(rho[0, 3]) < 0.05
    codes = rng.integers(0, 4, 5000)
    assert association.cramers_v(codes, codes, ones) == pytest.approx(1.0)
    assert association.cramers_v(codes, rng.permutation(codes), ones) < 0.05
    assert association.correlation_ratio(codes, codes.astype(float), ones) == pytest.approx(1.0)
    assert association.correlation_ratio(codes, x, ones) < 0.05
    half = np.column_stack([x, np.where(np.arange(5000) % 2 == 0, x, np.nan)])
    assert association.rank_correlations(half, ones)[0, 1] > 0.99


def test_a_row_that_is_there_thrice_counts_thrice() -> None:
    rng = np.random.default_rng(1)
    pair = rng.normal(size=(300, 2))
    pair[:, 1] += pair[:, 0]
    weights = rng.integers(1, 4, 300)
    often = np.repeat(pair, weights, axis=0)
    one = association.rank_correlations(pair, weights.astype(float))
    two = association.rank_correlations(often, np.ones(len(often)))
    assert one[0, 1] == pytest.approx(two[0, 1], abs=1e-9)


def test_scale_does_not_matter_even_at_the_ends_of_floats() -> None:
    rows = numeric()
    rows |= {"huge": rows["noise"] * 1e307, "y": rows["y"] * 1e306}
    tiny = {**rows, "huge": rows["huge"] * 1e-320, "y": rows["y"]}
    for columns in (rows, tiny):
        assert "leaking" not in {f.rule for f in found(columns, task="regression")}
    assert replace(Finding("a", "b", "c"), field="d").field == "d"
