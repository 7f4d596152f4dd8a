"""Table, picture and page say what the data say, whichever way the story went."""

import math
from datetime import date
from xml.etree import ElementTree

import pytest

from driftloop.ledger import Entry
from driftloop.run import Run
from infra.cli.demo import page, picture, table
from infra.cli.demo.decisions import by_day, in_words
from infra.cli.demo.january import log_loss
from infra.cli.demo.story import _watched
from tests.driftloop.pages import windows


def day(number, drift, ours=0.5):
    return {"day": f"2013-02-{number:02d}", "flights": 900, "late": 0.2, "versions": {"1": 900},
            "log_loss": ours, "january_log_loss": 0.52, "drift": drift, "performance": 0.6,
            "moved": ["hour"] if drift and drift > 1 else [], "said": None,
            "kind": "unit_bug" if drift and drift > 1 else None}  # fmt: skip


def decision(outcome, time="2013-02-09T08:00:00.000Z", **more):
    made = {"time": time, "kind": "alarm", "cause": "drift", "decision": "started", "run": "r"}
    return {**made, "reason": "<b>", "outcome": outcome, "version": 2, "text": "drift: <said>",
            **more}  # fmt: skip


@pytest.fixture
def story():
    days = [day(n, 6.3 if n == 8 else 0.9) for n in range(1, 15)]
    upload = decision("released", "2013-02-01T08:00:00.000Z", version=1)
    decisions = [upload, decision("released"), decision("rejected", "2013-02-10T08:00:00.000Z")]
    total = {"flights": 12600, "late": 0.2, "versions": {"1": 7000, "2": 5600}, "log_loss": 0.5,
             "january_log_loss": 0.52}  # fmt: skip
    month = {"month": "2013-02", **total, "drift": 6.3, "days_drifted": 1, "performance": 0.6,
             "days_worse": 0, "decisions": decisions[1:]}  # fmt: skip
    version = {"version": 1, "created": "2013-02-01T08:00:00.000Z", "cause": "upload",
               "estimator": "logistic_regression", "metrics": {"log_loss": 0.56},
               "plan_sha256": "a" * 64}  # fmt: skip
    return {"model": "flights", "description": "Late?", "window": "1d", "seconds": 90.0,
            "took": {"synth": 3.0}, "total": total, "months": [month], "days": days,
            "decisions": decisions, "versions": [version],
            "calls": {"different": 321, "roles": 14, "denied": []}}  # fmt: skip


def test_the_picture_is_xml_with_each_day_and_each_outcome(story):
    root = ElementTree.fromstring(picture.svg(story))
    space = "{http://www.w3.org/2000/svg}"
    bars = [r.get("class") for r in root.iter(f"{space}rect")]
    assert bars.count("over") == 1
    titles = [t.text for t in root.iter(f"{space}title")]
    assert "2013-02-08: 6.30, unit or schema bug upstream, hour" in titles
    assert bars.count("under") == 13
    marks = [g.get("class") for g in root.iter(f"{space}g")]
    assert marks == ["released", "released", "refused"]


def test_the_page_needs_nothing_else_and_escapes_what_it_tells(story):
    html = page.html(story)
    assert "<said>" not in html
    assert "&lt;said&gt;" in html
    assert "src=" not in html and "href=" not in html
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize(("ours", "word"), [(0.5, "3.8% lower than"), (0.54, "3.8% higher than")])
def test_the_conclusion_goes_either_way(story, ours, word):
    story["total"]["log_loss"] = ours
    assert word in table.conclusion(story)
    assert "trained 2 times and released 1" in table.conclusion(story)


def test_a_call_beyond_its_role_is_told(story):
    assert table.permitted(story).endswith("by 14 roles; their policies allow each of them.")
    story["calls"]["denied"] = ["a may not b"]
    assert "refused 1, like: a may not b" in table.permitted(story)


def test_a_month_is_served_by_shares(story):
    assert table.served(story["months"][0]) == "v1 56%, v2 44%"
    assert table.drift(story["months"][0]) == "6.30× (1 d)"
    table.show(story)


def entry(decision="started", reason="drift rose"):
    return Entry("2013-02-09T08:00:00.000Z", "alarm", decision, reason, "e", "d", cause="drift",
                 run="r")  # fmt: skip


def test_decisions_in_words():
    reasons = [
        {"gate": "roc_auc", "passed": True, "text": "roc_auc 0.66"},
        {"gate": "beats_champion", "passed": True, "text": "0.49 against 0.51"},
    ]
    run = Run("r", "drift", outcome="released", version=2, verdict={"reasons": reasons})
    assert in_words(entry(), run) == "drift: version 2 released (0.49 against 0.51)"
    refused = [
        {
            "gate": "beats_champion",
            "passed": False,
            "text": "0.51 against 0.50 (95% interval -1 to 1), 9%",
        }
    ]
    run = Run("r", "drift", outcome="rejected", verdict={"reasons": refused})
    assert in_words(entry(), run) == "drift: trained, and refused (0.51 against 0.50, 9%)"
    assert in_words(entry("suppressed", "cooldown"), None) == "drift: suppressed (cooldown)"


def test_log_loss_is_scikit_learns():
    truths, chances = [1, 0, 1, 0], [0.9, 0.2, 0.0, 0.4]
    expected = -(math.log(0.9) + math.log(0.8) + math.log(1e-15) + math.log(0.6)) / 4
    assert log_loss(truths, chances) == pytest.approx(expected, rel=1e-12)


def test_what_is_held_back_for_one_reason_is_one_line():
    def held(day):
        return {"time": f"2013-02-{day}T08:00:00.000Z", "decision": "suppressed",
                "reason": "Given up after 3 runs.", "text": "drift: suppressed"}  # fmt: skip

    started = {**held("01"), "decision": "started", "text": "drift: version 2 released"}
    assert by_day([held("08"), held("09"), started, held("12")]) == [
        "02-08 to 02-09, 2 alarms: suppressed (Given up after 3 runs)",
        "02-01 drift: version 2 released",
        "02-12 drift: suppressed",
    ]


def test_a_day_is_what_the_monitor_said_of_its_window():
    told = _watched([windows.report()], date(2013, 2, 8))
    assert (told["drift"], told["performance"]) == (6.3, 1.08)
    assert (told["moved"], told["kind"]) == (["temp", "carrier"], "unit_bug")
    assert _watched([windows.quiet()], date(2013, 2, 8))["kind"] is None
    assert _watched([], date(2013, 2, 8)).keys() == told.keys()
