"""`driftloop drift` and the line of health: what the monitor left in store and registry, told."""

import json
from dataclasses import replace

import boto3
import pytest

from driftloop import keys, route
from driftloop.aws.table import Write
from driftloop.breaker import Breaker
from driftloop.watch import Watch
from infra.cli import reports
from infra.cli.app import run
from infra.cli.health import health
from infra.cli.sparkline import changes, levels, ratios
from tests.driftloop.pages import windows

NOW = "2013-02-04T09:00:00.000Z"
CHAMPION = route.first(route.Served(3, "plan-3", "0" * 64), NOW)


def window(day, hour=0):
    def at(d):
        return f"2013-02-{d:02d}T{hour:02d}:00:00.000Z"

    return {"start": at(day), "end": at(day + 1)}


def put(told, kind="json"):
    """A report, or its page, where the monitor leaves it."""
    name = reports.name(told["window"]["start"])
    key = keys.window_report(told["model"], name, told["version"], told["revision"], kind)
    body = json.dumps(told) if kind == "json" else f"<p>{told['text']}</p>"
    boto3.client("s3").put_object(Bucket="store", Key=key, Body=body)


@pytest.fixture
def judged(registry):
    """A quiet day, the first word on a bad one, and the last."""
    put(windows.quiet(window=window(7), version=2))
    put(windows.quiet(window=window(8), revision=1))
    put(windows.report(window=window(8)))
    put(windows.report(window=window(8)), "html")
    return registry


def test_the_newest_revision_of_each_window_is_told(judged, capsys):
    assert run(["drift", "flights", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(r["revision"], r["drift_ratio"]) for r in told] == [(2, 0.6), (2, 6.3)]
    assert run(["drift", "flights", "-n", "1", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 1


def test_lines_say_what_moved_and_how_good_the_answers_were(judged, capsys):
    judged.put_watch("flights", Watch(3, window(8)["start"], window(9)["start"]))
    assert run(["drift", "flights"]) == 0
    said = capsys.readouterr().out
    lines = {line.split()[0]: line for line in said.splitlines() if line.strip()}
    assert lines["version"].split() == ["version", "·│", "v2", "→", "v3"]
    assert lines["drift"].split() == ["drift", "▃█", "6.30×"]
    assert lines["temp"].split() == ["temp", "▂█", "6.30×"]
    assert lines["performance"].split() == ["performance", "·▅", "1.08×"]
    assert lines["log_loss"].split()[:3] == ["log_loss", "·█", "0.6012"]
    assert lines["estimated"].split() == ["estimated", "▁▃", "0.5213"]
    assert "2013-02-08 00:00  Unit or schema bug upstream: temp, carrier" in said
    assert "temp looks like 100 times what it was" in said
    rows = [line.split() for line in said.splitlines() if line.startswith("2013-02-0")]
    assert rows[-2:] == [
        ["2013-02-07", "00:00", "2", "904", "0", "0.60×", "–", "–", "0.4921",
         *["All", "is", "as", "at", "training"]],
        ["2013-02-08", "00:00", "3", "904", "812", "6.30×", "1.08×", "0.6012", "0.5213",
         *["unit", "bug:", "temp,", "carrier"]],
    ]  # fmt: skip


def test_one_window_in_full(judged, capsys):
    assert run(["drift", "flights", "--window", "2013-02-08"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for words in (
        "flights v3 2013-02-08 00:00 to 2013-02-09 00:00 champion, 904 rows, revision 2",
        "how bad Drift is 6.30× its threshold; 2 of 4 features above theirs.",
        "to do Mend the source; keep these rows out of training.",
        "– 96% of the rows are affected; <all> others look as before.",
        "PSI 0.315 (0.05), Kolmogorov–Smirnov 0.255 (0.05), Wasserstein 0.22 (0.05) 86.0% 71.0%",
        "hour ▂ 0.40× PSI 0.02 (0.05) – –",
        "(labels)",
    ):
        assert words in said
    assert run(["drift", "flights", "--window", "2013-02-08", "--json"]) == 0
    assert [r["version"] for r in json.loads(capsys.readouterr().out)] == [3]


def test_a_window_that_is_not_there_names_those_that_are(judged, capsys):
    assert run(["drift", "flights", "--window", "2013-03-08"]) == 2
    assert "there are 2013-02-07 00:00 to 2013-02-08 00:00" in " ".join(
        capsys.readouterr().err.split()
    )


def test_a_date_of_several_windows_tells_them_all(judged, capsys):
    put(windows.report(window=window(8, 6), revision=1))
    assert run(["drift", "flights", "--window", "2013-02-08"]) == 0
    said = capsys.readouterr().out
    assert "2013-02-08 06:00  3" in said and "2013-02-08 00:00  3" in said
    assert "2013-02-07" not in said
    assert run(["drift", "flights", "--window", "2013-02-08 06:00"]) == 0
    assert "2013-02-08 06:00 to 2013-02-09 06:00" in capsys.readouterr().out


def test_the_page_is_fetched(judged, capsys, tmp_path):
    assert run(["drift", "flights", "--html", "page.html"]) == 0
    assert (tmp_path / "page.html").read_text().startswith("<p>Moved from the training data")
    assert run(["drift", "flights", "--html", "no/page.html"]) == 2


def test_windows_without_data_or_thresholds_are_told_without_a_number(registry, capsys):
    nothing = dict.fromkeys(("metric", "baseline", "value", "threshold", "ratio", "estimate"))
    old = windows.no_data() | {
        "status": "no thresholds", "window": window(6), "text": "Retrain to get thresholds.",
        "performance": {**nothing, "rows": 0, "unknown_classes": 0},
    }  # fmt: skip
    put(old)
    assert run(["drift", "flights"]) == 0
    said = capsys.readouterr().out
    assert "Not judged: no thresholds" in said and "Retrain to get thresholds." in said
    put(windows.no_data() | {"window": window(7)})
    assert run(["drift", "flights"]) == 0
    assert "Too few rows to judge: 12" in capsys.readouterr().out
    assert run(["drift", "flights", "--window", "2013-02-07"]) == 0


def test_around_a_release_the_version_that_served_most_speaks():
    few, most = windows.report(version=2, rows=10), windows.report(version=3, rows=900)
    assert reports.by_window([few, most]) == [most] == reports.by_window([most, few])


def test_health_is_a_line():
    start, end = window(8).values()
    well = Breaker()
    assert health(None, None, well) == "no version yet"
    assert health(CHAMPION, None, well) == "not judged yet"
    assert health(CHAMPION, Watch(2, start, end), well) == "not judged yet"
    assert health(CHAMPION, Watch(3, start, end), well) == "well, as of 2013-02-09"
    bad = Watch(3, start, end, since="2013-02-06T00:00:00.000Z", drift_ratio=6.3,
                performance_ratio=0.9, kind="unit_bug", features=["temp"])  # fmt: skip
    said = "drift 6.30× since 2013-02-06: unit or schema bug upstream (temp)"
    assert health(CHAMPION, bad, well) == said
    two = replace(bad, other="missing_source", besides="wind is missing.")
    assert health(CHAMPION, two, well) == f"{said}; besides, a source is missing"
    assert health(CHAMPION, bad, Breaker(gave_up=end)) == (
        f"{said}; given up on 2013-02-09, alarms start nothing until it is retrained"
    )


def test_bars_are_full_at_twice_the_threshold_and_red_above_it():
    dot = "[dim]·[/]"
    assert ratios([0.0, 0.99, None, 1.01, 9.0]) == f"▁▄{dot}[red]▅[/][red]█[/]"
    assert levels([2.0, None, 4.0], 2.0, 4.0) == f"▁{dot}█"
    assert levels([3.0], 3.0, 3.0) == "▁"
    assert changes([1, 1, 2, 1]) == f"{dot}{dot}││"


def test_status_has_a_line_of_health(judged, capsys):
    judged.table.write(Write("Put", keys.model_pk("flights"), keys.ROUTE, CHAMPION.to_item()))
    judged.put_watch("flights", Watch(3, *window(8).values()))
    assert run(["status"]) == 0
    assert "flights: well, as of 2013-02-09\n" in capsys.readouterr().out
    assert run(["status", "--json"]) == 0
    (model,) = json.loads(capsys.readouterr().out)["models"]
    assert model["health"] == "well, as of 2013-02-09"
