"""The page of an upload or a dataset: it escapes all, needs nothing, and says what is there."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop import keys
from driftloop.pages import bars
from driftloop.pages.data_report import page
from driftloop.profiling import profiles
from driftloop.profiling.examine import Finding, examine
from driftloop.profiling.outcome import Outcome
from driftloop.profiling.profile import Profile
from driftloop.sketches.sketch import NumberSketch, TextSketch
from driftloop.spec import Spec
from tests.driftloop.memory import Memory

VOID = {"meta", "br", "rect", "line", "img"}
N = 1500
DAY = 86_400_000
START = 1_700_000_000_000 // DAY * DAY


class Reader(HTMLParser):
    """What a browser would see: elements, texts, and whether every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID | {"html"} and not self.get_starttag_text().endswith("/>"):  # type: ignore[union-attr]
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID | {"html"}:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def columns(n: int = N, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    gaps = rng.random(n) < 0.2
    return {
        "x": np.where(gaps, np.nan, x),
        "z": np.where(gaps, np.nan, rng.gamma(2.0, size=n)),
        "shop": rng.choice(np.array(["Aachen", "Bonn", None], object), n),
        "y": np.where(x + rng.normal(size=n) > 0, "yes", "no").astype(object),
        "at": START + np.arange(n, dtype=np.int64) * 3_600_000,
    }


def spec_of(cols: dict[str, Any], task: str = "classification") -> Spec:
    features = {
        name: {"type": "category" if values.dtype == object else "number", "nullable": True}
        for name, values in cols.items() if name not in ("y", "at")
    }  # fmt: skip
    roles = {"time": "at"} if "at" in cols else {}
    return Spec.parse({"name": "m", "task": task, "target": "y", "features": features, **roles})


def profile(cols: dict[str, Any], spec: Spec) -> Profile:
    made = Profile.empty(spec)
    n = len(cols["y"])
    made.update(cols, np.random.default_rng(1).integers(0, 2**64, n, dtype=np.uint64))
    return made


def shown(
    cols: dict[str, Any], report: dict[str, Any] | None = None, task: str = "classification",
    examples: Any = (), findings: list[Finding] | None = None,
) -> str:  # fmt: skip
    spec = spec_of(cols, task)
    made = profile(cols, spec)
    said = examine(made, spec) if findings is None else findings
    return page(made, spec, report or {"upload": {"bucket": "b", "key": "k.csv"}}, said, examples)


def test_a_page_needs_no_network_and_no_script() -> None:
    seen = Reader(shown(columns()))
    assert seen.open == []
    assert not {"script", "link", "iframe", "img", "object"} & {*seen.elements}
    assert not {"src", "href"} & {name for name, _ in seen.attributes}
    assert not any(name.startswith("on") for name, _ in seen.attributes)
    assert "url(" not in shown(columns())
    assert ("name", "viewport") in seen.attributes


def test_a_page_says_what_the_rows_are() -> None:
    cols = columns()
    text = Reader(shown(cols)).text
    for word in ("1,500", "Aachen", "Bonn", "2023-11-14 – 2024-01-15", "What goes together",
                 "Missing together", "x, z", "share of y = yes", "One bar is one day"):  # fmt: skip
        assert word in text
    assert "no gap out of the ordinary" in text
    assert not re.search(r"\b(nan|None)\b", text)


HOSTILE = "<script>alert('x')</script>\"'&<b>"


def test_everything_that_comes_from_data_is_escaped() -> None:
    cols = columns(300)
    cols["shop"] = np.where(np.arange(300) % 2 == 0, HOSTILE, "ok").astype(object)
    cols["y"] = np.where(np.arange(300) % 3 == 0, HOSTILE, "ok").astype(object)
    cols[HOSTILE] = cols.pop("x")
    report = {
        "upload": {"bucket": HOSTILE, "key": f"incoming/m/{HOSTILE}.csv"},
        "now": "2024-01-01T00:00:00.000Z", "format": HOSTILE,
        "reasons": {f"{HOSTILE}|{HOSTILE}": 3},
        "error": {"name": "TooManyRejected", "message": HOSTILE},
    }  # fmt: skip
    row = {"line": 3, "field": HOSTILE, "rule": HOSTILE, "value": HOSTILE, "text": HOSTILE}
    text = shown(cols, report, examples=[row], findings=[Finding("r", HOSTILE, HOSTILE)])
    seen = Reader(text)
    assert seen.open == []
    assert "script" not in seen.elements
    assert "b" in seen.elements  # ours
    assert not any(name.startswith("on") for name, _ in seen.attributes)
    assert seen.text.count("alert('x')") > 8


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=30).filter(str.strip), min_size=1, max_size=12))
def test_any_texts_make_a_page_whose_elements_are_closed(words: list[str]) -> None:
    cols = columns(120)
    cols["shop"] = np.array([words[i % len(words)] for i in range(120)], object)
    assert Reader(shown(cols)).open == []


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(allow_infinity=False), min_size=1, max_size=40))
def test_any_numbers_make_a_page_without_nan(values: list[float]) -> None:
    cols = {"x": np.resize(np.array(values), 130), "y": columns(130)["y"]}
    text = shown(cols)
    assert Reader(text).open == []
    assert not re.search(r"\b(nan|inf)\b", text)
    turned = {"y": np.nan_to_num(cols["x"]), "x": np.arange(130.0)}
    text = shown(turned, task="regression")
    assert not re.search(r"\b(nan|inf)\b", text)


def test_a_refused_upload_says_why_and_how_many() -> None:
    report = {
        "upload": {"bucket": "b", "key": "incoming/m/k.csv"}, "rejected": 300, "refused_rows": 900,
        "reasons": {"not_a_number|x": 280, "null|shop": 20},
        "error": {"name": "TooManyRejected", "message": "300 of 1,200 rows are bad"},
    }  # fmt: skip
    row = {"line": 1200, "field": "x", "rule": "not_a_number", "value": "?", "text": "?,1",
           "file": "incoming/m/may/b.csv"}  # fmt: skip
    text = Reader(shown(columns(900), report, examples=[row])).text
    assert "b.csv line 1,200: x is not a number (?)" in text
    assert "Refused whole. 300 of 1,200 rows are bad" in text
    assert re.search(r"not a number\s*x\s*280\s*23.3%", text)


def test_an_upload_that_could_not_be_read_has_a_page() -> None:
    spec = spec_of(columns())
    error = {"name": "UnreadableFile", "message": "this is a ZIP archive; unpack it"}
    text = page(Profile.empty(spec), spec, {"upload": {"key": "a/b.zip"}, "error": error}, [])
    assert "ZIP archive" in text
    assert Reader(text).open == []


def test_a_dataset_has_a_page() -> None:
    text = Reader(shown(columns(), {"dataset": "ab" * 32, "parts": 3})).text
    assert "m: dataset abababababab" in text
    assert "3 parts" in text


def test_regression_and_many_classes_have_pages() -> None:
    cols = columns()
    text = Reader(shown({**cols, "y": np.nan_to_num(cols["x"]) * 3}, task="regression")).text
    assert "mean of y" in text
    many = np.random.default_rng(0).choice(np.array([f"class {i}" for i in range(9)], object), N)
    seen = Reader(shown({**cols, "y": many}))
    assert "shares of y in colours: " in seen.text
    assert {"c0", "c5", "base"} <= {v for n, v in seen.attributes if n == "class"}


def test_four_hundred_columns_open_on_a_phone() -> None:
    rng = np.random.default_rng(0)
    wide: dict[str, Any] = {f"f{i:03d}": rng.normal(size=400) for i in range(400)}
    wide["y"] = rng.choice(np.array(["a", "b"], object), 400)
    text = shown(wide)
    assert len(text) < 700_000
    assert "340 more columns" in text
    assert all(f"f{i:03d}" in text for i in range(400))


def test_bars_count_every_row() -> None:
    rng = np.random.default_rng(0)
    far, skewed = np.append(rng.normal(size=998), 1e12), np.exp(rng.normal(size=999) * 4)
    for values in (rng.normal(size=999), rng.integers(0, 5, 999) * 1.0, skewed, far):
        sketch = NumberSketch.numbers(values)
        drawn = bars.of_numbers(sketch)
        assert drawn is not None
        assert drawn.counts.sum() == pytest.approx(999)
        assert len(drawn.counts) == len(drawn.labels) == drawn.groups.size
        exact = np.bincount(drawn.groups.assign(values), minlength=drawn.groups.size)
        assert np.abs(drawn.counts - exact).max() < 25  # a bucket lies across a bar's border
    assert bars.of_numbers(NumberSketch()) is None


def test_few_values_have_a_bar_each() -> None:
    drawn = bars.of_numbers(NumberSketch.numbers(np.array([1.0, 5.0, 5.0, 2.5])))
    assert drawn is not None
    assert (drawn.labels, drawn.counts.tolist()) == (["1", "2.5", "5"], [1, 1, 2])


def test_texts_beyond_the_most_frequent_are_counted_together() -> None:
    sketch = TextSketch.codes(np.arange(100) % 20, [f"t{i}" for i in range(20)])
    assert isinstance(sketch, TextSketch)
    drawn = bars.of_texts(sketch)
    assert drawn is not None
    assert drawn.labels[-1] == "12 others"
    assert drawn.counts.tolist() == [5.0] * 8 + [60.0]


def test_outliers_lie_beyond_tukeys_fences() -> None:
    values = np.append(np.random.default_rng(0).normal(size=10_000), [50.0, -70.0, 80.0])
    q1, q3 = np.quantile(values, [0.25, 0.75])
    exact = ((values < q1 - 1.5 * (q3 - q1)) | (values > q3 + 1.5 * (q3 - q1))).sum()
    found = bars.outliers(NumberSketch.numbers(values))
    assert found is not None
    assert found[2] == pytest.approx(int(exact), rel=0.1)
    assert bars.outliers(NumberSketch.numbers(np.zeros(50))) is None


def test_the_target_by_value_is_of_the_rows_with_that_value() -> None:
    cols = columns()
    spec = spec_of(cols)
    outcome = Outcome(profile(cols, spec), "y")
    drawn = bars.of_texts(profile(cols, spec).sketches["shop"])  # type: ignore[arg-type]
    assert drawn is not None
    told = outcome.by("shop", drawn.groups)[drawn.labels.index("Bonn")]
    assert told is not None
    assert told[1] == pytest.approx((cols["y"][cols["shop"] == "Bonn"] == "yes").mean())
    assert outcome.strength("x") > 0.4 > 0.1 > outcome.strength("shop")


def test_profiles_are_kept_as_json_and_as_a_page_and_loaded() -> None:
    store, cols = Memory(), columns()
    spec = spec_of(cols)
    made = profile(cols, spec)
    report = {"upload": {"bucket": "b", "key": "k"}}
    cols["shop"][:] = "one"
    said = profiles.keep(store, spec, "uploads", "u1", profile(cols, spec), report)
    assert [f["rule"] for f in said] == ["constant"]
    first = dict(store.objects)
    profiles.keep(store, spec, "uploads", "u1", profile(cols, spec), report)
    assert store.objects == first
    assert [*first] == [keys.profile("m", "uploads", "u1", kind) for kind in ("json", "html")]
    again = profiles.load(store, "m", "uploads", "u1")
    assert again is not None
    assert again.to_json() == profile(cols, spec).to_json() != made.to_json()
    assert profiles.load(store, "m", "uploads", "u2") is None
