import json
import math
import time
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop.errors import Unavailable
from driftloop.ids import id_ms
from driftloop.plan import load
from driftloop.route import BLUE_GREEN, SHADOW, promoted
from driftloop.route import challenged as with_challenger
from tests.driftloop.plans import NOW, ROW, Desk, plan

LATER = NOW + 11_000


def test_an_answer_says_model_version_ids_and_probabilities():
    status, headers, body, lines = Desk().ask([ROW, ROW | {"hour": 23, "temp": None}])
    assert status == 200
    assert headers["x-driftloop-version"] == "1"
    assert "x-driftloop-stale" not in headers
    assert (body["model"], body["version"]) == ("flights", 1)
    scorer = load(plan())
    scores = scorer.score([scorer.row(ROW), scorer.row(ROW | {"hour": 23, "temp": None})])
    assert [p["probability"] for p in body["predictions"]] == scores
    assert [p["value"] for p in body["predictions"]] == ["0", "1"]
    assert all(id_ms(p["id"]) == NOW and uuid.UUID(p["id"]) for p in body["predictions"])

    capture, metrics = lines
    assert capture["ids"] == [p["id"] for p in body["predictions"]]
    assert capture["columns"] == ["hour", "carrier", "temp", "flight_id"]
    assert capture["rows"] == [[7, "UA", 3.5, None], [23, "UA", None, None]]
    assert (capture["version"], capture["role"], capture["time"]) == (1, "champion", NOW)
    assert (metrics["Requests"], metrics["Rows"], metrics["Errors"]) == (1, 2, 0)
    assert metrics["_aws"]["Timestamp"] == NOW


def test_many_classes_and_regression():
    _, _, body, _ = Desk(plan(classes=("a", "b", "c"))).ask([ROW])
    (row,) = body["predictions"]
    assert row["value"] == "c"
    assert sum(row["probabilities"].values()) == pytest.approx(1)
    _, _, body, lines = Desk(plan(classes=None)).ask([ROW])
    assert body["predictions"][0]["value"] == lines[0]["predictions"][0]
    assert "probability" not in body["predictions"][0]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"hour": None}, "instances[1].hour"),
        ({"hour": "7"}, "instances[1].hour"),
        ({"hour": True}, "instances[1].hour"),
        ({"hour": 24}, "instances[1].hour"),
        ({"hour": 10**400}, "instances[1].hour"),
        ({"carrier": 5}, "instances[1].carrier"),
        ({"carrier": None}, "instances[1].carrier"),
        ({"temp": math.nan}, "instances[1].temp"),
        ({"temp": math.inf}, "instances[1].temp"),
        ({"tmep": 3}, "instances[1].tmep"),
        ({"flight_id": [1]}, "instances[1].flight_id"),
        ({"flight_id": math.nan}, "instances[1].flight_id"),
        ({"flight_id": 10**400}, "instances[1].flight_id"),
    ],
)
def test_a_bad_field_is_named_by_its_path(change, field):
    status, headers, body, lines = Desk().ask([ROW, ROW | change])
    assert status == 400
    assert headers["content-type"] == "application/problem+json"
    assert body["type"] == "urn:driftloop:error:BadRequest"
    assert body["errors"][0]["field"] == field
    assert field in body["detail"]
    (metrics,) = lines
    assert (metrics["BadRequests"], metrics["Errors"], metrics["Rows"]) == (1, 0, 0)


def test_1e999_and_rows_that_are_none():
    assert Desk().send('{"instances": [{"hour": 1e999, "carrier": "UA"}]}')[0] == 400
    for row in (7, None, [], "x"):
        status, _, body, _ = Desk().ask([row])
        assert (status, body["errors"][0]["field"]) == (400, "instances[0]")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
FIELD = st.sampled_from(["hour", "carrier", "temp", "flight_id", "sched_dep", "other"])


@settings(deadline=None)
@given(st.lists(st.dictionaries(FIELD, JSON) | JSON, max_size=4), st.booleans())
def test_law_10_any_body_is_answered_without_nan_or_5xx(instances, challenged):
    desk = Desk()
    if challenged:
        route = desk.shelf.current
        desk.shelf.current = with_challenger(route, desk.shelf.put(2, plan(1.0)), 0.5, route.since)
    status, _, body, _ = desk.ask(instances)  # its JSON reader fails at NaN
    assert status == 200 or 400 <= status < 500, body
    if status == 200:
        assert all(0 <= p["probability"] <= 1 for p in body["predictions"])


# --- the route ----------------------------------------------------------------------------------


def test_a_cold_start_without_registry_is_503_and_says_why():
    desk = Desk()
    desk.shelf.down = True
    status, _, body, lines = desk.ask([ROW])
    assert status == 503
    assert "dynamodb did not answer" in body["detail"]
    assert lines[0]["Errors"] == 1
    desk.shelf.down = False
    assert desk.ask([ROW])[0] == 200  # it tries again at once


def test_a_model_without_a_version_says_so():
    desk = Desk()
    desk.shelf.current = None
    status, _, body, _ = desk.ask([ROW])
    assert status == 503 and "no released version" in body["detail"]


def test_a_fresh_route_is_not_looked_up_again():
    desk = Desk()
    for ms in (0, 5000, 9999):
        desk.ask([ROW], now=NOW + ms)
    assert desk.shelf.looks == 1
    desk.ask([ROW], now=LATER)
    assert desk.shelf.looks == 2


def test_law_6_a_lost_registry_leaves_the_champion_answering_and_says_how_stale():
    desk = Desk()
    desk.ask([ROW])
    desk.shelf.down = True
    status, headers, body, _ = desk.ask([ROW], now=NOW + 42_000)
    assert (status, body["version"]) == (200, 1)
    assert headers["x-driftloop-stale"] == "42"
    assert "goes on" in desk.said[-1]
    desk.shelf.down = False
    assert "x-driftloop-stale" not in desk.ask([ROW], now=NOW + 60_000)[1]


def test_a_promotion_arrives_with_the_next_look():
    desk = Desk()
    desk.ask([ROW])
    route = desk.shelf.current
    desk.shelf.current = promoted(route, desk.shelf.put(2, plan(1.0)), route.since)
    assert desk.ask([ROW], now=NOW + 9000)[2]["version"] == 1
    assert desk.ask([ROW], now=LATER)[2]["version"] == 2


@pytest.mark.parametrize("bytes_", [plan(5.0), b"", b"{}"])
def test_law_7_a_swapped_artefact_is_refused_and_the_champion_goes_on(bytes_):
    desk = Desk()
    desk.ask([ROW])
    route = desk.shelf.current
    served = desk.shelf.put(2, plan(1.0))
    desk.shelf.plans[served.key] = bytes_
    desk.shelf.current = promoted(route, served, route.since)
    status, headers, body, _ = desk.ask([ROW], now=LATER)
    assert (status, body["version"], headers["x-driftloop-stale"]) == (200, 1, "11")
    assert "SHA-256" in desk.said[-1]

    cold = Desk()
    cold.shelf.plans[cold.shelf.current.champion.key] = bytes_
    assert cold.ask([ROW])[0] == 503


def test_a_large_plan_arrives_over_several_requests_while_the_loaded_version_answers():
    desk = Desk()
    desk.ask([ROW])
    route = desk.shelf.current
    served = desk.shelf.put(2, plan(1.0))
    desk.shelf.current = promoted(route, served, route.since)
    desk.shelf.slow = len(plan(1.0)) // 3 + 1
    answered = [desk.ask([ROW], now=LATER + ms) for ms in (0, 10, 20)]
    assert [body["version"] for _, _, body, _ in answered] == [1, 1, 2]
    assert [headers.get("x-driftloop-stale") for _, headers, _, _ in answered] == ["11", "11", None]
    assert answered[0][3][-1]["StaleSeconds"] == 11 and "StaleSeconds" not in answered[2][3][-1]
    assert desk.shelf.looks == 2  # the route was looked up once, its plan asked for thrice


def test_a_plan_goes_on_arriving_where_it_stopped_when_the_store_was_lost():
    desk = Desk()
    desk.ask([ROW])
    route = desk.shelf.current
    desk.shelf.current = promoted(route, desk.shelf.put(2, plan(1.0)), route.since)
    desk.shelf.slow = len(plan(1.0)) - 10
    assert desk.ask([ROW], now=LATER)[2]["version"] == 1
    desk.shelf.down = True
    for ms in (10, 20, 30):  # asked once, then not before the next look
        assert desk.ask([ROW], now=LATER + ms)[2]["version"] == 1
    assert desk.shelf.fetches == 3
    desk.shelf.down, desk.shelf.slow = False, 10  # just what was left
    assert desk.ask([ROW], now=LATER + 11_000)[2]["version"] == 2


def test_a_challenger_gets_requests_once_its_plan_has_come():
    desk = Desk()
    desk.ask([ROW])
    route = desk.shelf.current
    served = desk.shelf.put(2, plan(2.0))
    desk.shelf.current = with_challenger(route, served, 1.0, route.since)
    desk.shelf.slow = len(plan(2.0)) // 2 + 1
    answered = [desk.ask([ROW], now=LATER + ms)[:3] for ms in (0, 10)]
    assert [body["version"] for _, _, body in answered] == [1, 2]
    assert all("x-driftloop-stale" not in headers for _, headers, _ in answered)


def test_a_cold_start_that_cannot_answer_yet_says_when_to_come_again():
    desk = Desk()
    desk.shelf.slow = len(plan()) // 2 + 1
    status, headers, body, _ = desk.ask([ROW])
    assert status == 503 and int(headers["retry-after"]) > 0
    assert "bytes of version 1 have come" in body["detail"]
    assert desk.ask([ROW])[0] == 200


# --- a challenger -------------------------------------------------------------------------------


def challenged(share=0.3, data=None):
    desk = Desk()
    route = desk.shelf.current
    desk.shelf.current = with_challenger(
        route, desk.shelf.put(2, data or plan(2.0)), share, route.since
    )
    return desk


def test_a_challenger_gets_its_share_and_a_key_meets_one_version():
    desk = challenged()
    versions = {}
    for i in range(600):
        row = ROW | {"flight_id": f"f{i % 300}"}
        _, headers, body, lines = desk.ask([row], request=f"r{i}")
        versions.setdefault(row["flight_id"], set()).add(body["version"])
        assert headers["x-driftloop-version"] == str(body["version"])
        assert lines[0]["role"] == ("champion" if body["version"] == 1 else "challenger")
        assert lines[1]["version"] == str(body["version"])
        assert ["model", "version"] in lines[1]["_aws"]["CloudWatchMetrics"][0]["Dimensions"]
    assert all(len(v) == 1 for v in versions.values())
    assert 55 < sum(v == {2} for v in versions.values()) < 125


def test_each_answer_is_the_stated_versions_own():
    desk = challenged(0.5)
    scorers = {1: load(plan()), 2: load(plan(2.0))}
    for i in range(50):
        body = desk.ask([ROW], request=f"r{i}")[2]
        scorer = scorers[body["version"]]
        assert body["predictions"][0]["probability"] == scorer.score([scorer.row(ROW)])[0]


def test_law_6_a_challenger_that_fails_is_answered_by_the_champion_and_counted():
    desk = challenged(0.999, plan(2.0, extra=1))  # it wants a field that callers do not send
    status, _, body, lines = desk.ask([ROW])
    assert (status, body["version"]) == (200, 1)
    assert lines[-1]["version"] == "2" and lines[-1]["Errors"] == 1
    assert lines[1]["Errors"] == 0
    assert desk.ask([{"hour": 99}])[0] == 400  # the caller's own mistake is not the challenger's


@pytest.mark.parametrize("share", [0.999, 0.5, 0.0])
def test_a_challenger_that_cannot_be_loaded_gets_no_request_and_is_charged_with_its_own(share):
    desk = challenged(share) if share else shadowed()
    desk.shelf.plans[desk.shelf.current.challenger.key] = b"{}"
    charged = 0
    for i in range(60):
        status, _, body, lines = desk.ask([ROW], request=f"r{i}")
        assert (status, body["version"], lines[1]["version"], lines[1]["Errors"]) == (
            200,
            1,
            "1",
            0,
        )
        charged += sum(line["Errors"] for line in lines[2:] if line["version"] == "2")
    assert charged == 60 if share in (0.999, 0.0) else 15 < charged < 45
    assert "cannot be loaded" in desk.said[0]
    assert len(desk.ask([{}])[3]) == 1  # nobody can answer that


def test_a_challenger_that_the_store_does_not_give_is_not_charged():
    desk = challenged(0.999)
    fetch = desk.shelf.plan

    def lost(key, start, budget):
        if key == desk.shelf.current.challenger.key:
            raise Unavailable("s3 did not answer")
        return fetch(key, start, budget)

    desk.shelf.plan = lost
    assert [line.get("version") for line in desk.ask([ROW])[3]] == [1, "1"]


def shadowed(data=None):
    desk = Desk()
    route = desk.shelf.current
    served = desk.shelf.put(2, data or plan(2.0))
    desk.shelf.current = with_challenger(route, served, 0.0, route.since, SHADOW)
    return desk


def test_a_shadow_scores_the_same_rows_under_the_same_ids_and_is_never_returned():
    desk = shadowed()
    rows = [ROW, ROW | {"hour": 23, "flight_id": "f-1"}]
    status, headers, body, lines = desk.ask(rows)
    assert (status, body["version"], headers["x-driftloop-version"]) == (200, 1, "1")
    served, metrics, shadow, judged = lines
    assert (served["role"], served["version"]) == ("champion", 1)
    assert (shadow["role"], shadow["version"]) == ("shadow", 2)
    for same in ("ids", "rows", "columns", "request", "time"):
        assert served[same] == shadow[same]
    scorer = load(plan(2.0))
    assert shadow["predictions"] == scorer.score([scorer.row(row) for row in rows])
    assert shadow["predictions"] != served["predictions"]
    assert (metrics["version"], judged["version"]) == ("1", "2")
    assert (judged["Requests"], judged["Errors"], judged["Rows"]) == (1, 0, 2)
    assert ["model"] in metrics["_aws"]["CloudWatchMetrics"][0]["Dimensions"]
    assert judged["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["model", "version"]]


def test_a_slow_shadow_is_metered_as_slow_and_costs_the_callers_metric_nothing():
    desk = shadowed()
    desk.ask([ROW])
    slow = desk.endpoint.live.shadow().scorer
    quick = slow.score

    def crawl(rows):
        time.sleep(0.2)
        return quick(rows)

    slow.score = crawl
    _, _, _, lines = desk.ask([ROW])
    assert lines[1]["Latency"] < 200 <= lines[3]["Latency"]


@pytest.mark.parametrize("error", [ValueError("no"), RecursionError(), MemoryError(), None])
def test_whatever_a_shadow_raises_the_champion_has_answered(error):
    desk = shadowed(plan(2.0, extra=1) if error is None else None)  # wants a field nobody sends
    desk.ask([ROW])
    if error is not None:

        def fail(rows):
            raise error

        desk.endpoint.live.shadow().scorer.score = fail
    status, _, body, lines = desk.ask([ROW])
    assert (status, body["version"]) == (200, 1)
    assert [line.get("role") for line in lines if "capture" in line] == ["champion"]
    assert (lines[1]["version"], lines[1]["Errors"]) == ("1", 0)
    assert (lines[2]["version"], lines[2]["Errors"], lines[2]["Requests"]) == ("2", 1, 1)
    assert "challenger 2 failed" in desk.said[-1]
    status, _, _, lines = desk.ask([{"hour": 99}])  # the caller's own mistake is not the shadow's
    assert status == 400 and len(lines) == 1


def test_redacted_fields_and_unsampled_rows_are_not_captured():
    desk = Desk(capture={"sample": 1.0, "redact": ["carrier"]})
    assert "UA" not in json.dumps(desk.ask([ROW])[3])
    assert len(Desk(capture={"sample": 0.0, "redact": []}).ask([ROW])[3]) == 1


def test_an_unexpected_failure_is_a_500_document_and_counts():
    desk = Desk()
    desk.ask([ROW])
    desk.endpoint.live._versions.clear()
    status, _, body, lines = desk.ask([ROW])
    assert status == 500 and "KeyError" not in body["detail"]
    assert lines[-1]["Errors"] == 1
    assert "KeyError" in desk.said[-1]


def test_too_many_rows_is_413():
    status, _, body, _ = Desk().ask([ROW] * 10_001)
    assert (status, body["title"]) == (413, "Request Entity Too Large")


def test_an_answer_longer_than_lambda_gives_is_413():
    desk = Desk(plan(classes=tuple(f"{'class':>60}{i}" for i in range(300))))
    assert desk.ask([ROW] * 10)[0] == 200
    status, _, body, lines = desk.ask([ROW] * 300)
    assert status == 413 and "fewer rows" in body["detail"]
    assert len(lines) == 1  # what was not answered is not captured


def test_a_challenger_that_cannot_say_why_leaves_it_to_the_champion():
    desk = Desk(plan(background=True))
    served, route = desk.shelf.put(2, plan(2.0)), desk.shelf.current
    desk.shelf.current = with_challenger(route, served, 1.0, route.since, BLUE_GREEN)
    assert desk.ask([ROW])[2]["version"] == 2
    status, _, body, lines = desk.ask([ROW], query={"explain": "true"})
    assert (status, body["version"]) == (200, 1) and "explanation" in body["predictions"][0]
    assert len(lines) == 2  # what was captured and counted; no error of the challenger's
