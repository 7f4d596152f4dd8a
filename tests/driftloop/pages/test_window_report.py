"""The page of a window: what it says, that it escapes what it was told, that it stands alone."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftloop.pages import window_words
from driftloop.pages.window_distributions import drawn, of_numbers
from driftloop.pages.window_report import html
from driftloop.sketches.sketch import NumberSketch, Sketch
from driftloop.timeline import Timeline
from tests.driftloop.pages import windows


class Page(HTMLParser):
    """The page's text in order, its tags balanced and its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.open: list[str] = []
        self.links: list[str] = []
        self.feed(page)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [str(value) for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "rect", "path", "html", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("rect", "path", "html"):
            return
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)


def page(report: Any, factor: float = 100.0, timeline: Timeline | None = None) -> Page:
    line = windows.history() if timeline is None else timeline
    found = Page(html(report, windows.baseline(), windows.seen(factor), line))
    assert not found.open, "every tag is closed"
    return found


def test_the_questions_asked_at_night_are_answered_first_and_in_order() -> None:
    found = page(windows.report()).text
    wanted = [
        "Unit or schema bug upstream: temp, carrier",
        "What temp looks like 100 times what it was",
        "Since 2013-02-06 00:00 UTC",
        "How bad Drift is 6.30× its threshold; 2 of 4 features above theirs. Realised log_loss is "
        "0.6012 on 812 labelled rows (0.4876 at training, 0.5544 is allowed).",
        "What is estimated without labels means nothing for rows in a wrong unit.",
        "To do Mend the source; keep these rows out of training.",
        "driftloop ledger flights",
        "temp × 100 of training matches this window",
        "What moved",
        "Performance",
        "confidence-based performance estimation; realised − estimated here: 0.0799",
        "What led up to it",
        "2013-02-07 drift, suppressed. No new labels.",
        "2013-01-23 to 01-25 drift, suppressed 3 times. Cooling down",
    ]
    places = [found.index(sentence) for sentence in wanted]
    assert places == sorted(places)


def test_it_stands_alone_and_shows_what_it_was_told_as_text() -> None:
    found = html(windows.report(), windows.baseline(), windows.seen(), windows.history())
    assert "http" not in found and "<script" not in found and "url(" not in found
    assert not page(windows.report()).links
    for told in ("<all>", "Z<9>", "<smells>"):
        assert told not in found and told.replace("<", "&lt;").replace(">", "&gt;") in found
    assert "prefers-color-scheme:dark" in found and "width=device-width" in found


def test_what_moved_is_open_and_what_did_not_is_folded() -> None:
    found = page(windows.report()).text
    loud, quiet = found.split("3 columns that did not move")
    assert "Z<9> new" in loud and "0% → 10." in loud
    assert "Kolmogorov–Smirnov 0.255 0.05 5.10×" in loud
    assert "hour 0.40×" in quiet and "visib 0.20×" in quiet and "(labels) 0.30×" in quiet


def test_a_quiet_window_says_so_and_asks_nothing() -> None:
    found = page(windows.quiet(), 1.0).text
    assert "All is as at training" in found and "To do Nothing." in found
    assert "No labels yet; log_loss was 0.4876 at training." in found
    assert "Since" not in found and "driftloop ledger" not in found


def test_too_few_rows_are_no_judgement() -> None:
    found = page(windows.no_data(), 1.0, Timeline()).text
    assert "Too few rows to judge: 12, and at least 250 are needed." in found
    assert "×" not in found.split("What moved")[0]
    assert "What led up to it" not in found


def test_a_feature_that_may_not_be_captured_is_not_looked_for() -> None:
    seen = windows.seen(1.0, labelled=False)
    del seen.features["temp"]
    for told in (windows.no_data(), windows.quiet(ranked=["visib", "hour"])):
        found = html(told, windows.baseline(), seen, Timeline())
        assert "<b>visib</b>" in found
        assert "<b>temp</b>" not in found and "<b>(labels)</b>" not in found


def test_the_same_window_is_the_same_page() -> None:
    one, two = (
        html(windows.report(), windows.baseline(), windows.seen(), windows.history())
        for _ in range(2)
    )
    assert one == two


@pytest.mark.parametrize(
    ("metric", "loss", "value"), [("roc_auc", 0.4, 0.6), ("log_loss", 0.5, 0.5)]
)
def test_the_limit_is_told_as_the_metric_is(metric: str, loss: float, value: float) -> None:
    performance = {**windows.report()["performance"], "metric": metric, "threshold": loss}
    assert window_words.allowed(windows.report(performance=performance)) == value


def test_an_alarm_without_a_diagnosis_still_says_what_it_is_about() -> None:
    told = windows.report(diagnosis=None)
    assert window_words.headline(told) == "Drift of temp, carrier and worse log_loss than allowed"


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True, width=64), max_size=40),
    st.lists(st.floats(allow_nan=True, width=64), max_size=40),
)
def test_whatever_the_numbers_their_shares_are_shares(one: list[float], two: list[float]) -> None:
    before, after = (Sketch.numbers(np.array(v, np.float64)) for v in (one, two))
    both = of_numbers(before, after)
    if both is None:
        assert not before.present and not after.present
        return
    for sketch, shares in ((before, both.before), (after, both.after)):
        assert len(shares) == len(both.labels)
        assert abs(shares.sum() - (1.0 if sketch.present else 0.0)) < 1e-9
    Page(drawn("x", before, after))


def test_a_few_values_have_a_bar_each_and_a_wide_range_is_logarithmic() -> None:
    few: NumberSketch = Sketch.numbers(np.array([1.0, 2.0, 2.0]))
    both = of_numbers(few, Sketch.numbers(np.array([7.0])))
    assert both is not None and both.labels == ["1", "2", "7"]
    assert both.after.tolist() == [0.0, 0.0, 1.0]
    wide = of_numbers(
        Sketch.numbers(np.arange(1.0, 100.0)), Sketch.numbers(np.arange(1.0, 100.0) * 1000)
    )
    assert wide is not None and "logarithmic" in wide.ends[0]
