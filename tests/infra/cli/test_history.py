"""Execution histories read as steps."""

import json
from datetime import UTC, datetime, timedelta

from infra.cli.history import note, steps

START = datetime(2013, 2, 1, tzinfo=UTC)


def events(*made):
    return [{"timestamp": START + timedelta(seconds=i), **e} for i, e in enumerate(made)]


def entered(name, kind="Task"):
    return {"type": f"{kind}StateEntered", "stateEnteredEventDetails": {"name": name}}


def exited(name, output, kind="Task"):
    details = {"name": name, "output": json.dumps(output)}
    return {"type": f"{kind}StateExited", "stateExitedEventDetails": details}


def test_a_step_has_its_time_and_the_one_thing_worth_saying():
    found = steps(
        events(
            {"type": "ExecutionStarted"},
            entered("Ingest"),
            exited("Ingest", {"ingest": {"accepted": 26398, "rejected": 3}}),
            entered("Accepted?", "Choice"),
            exited("Accepted?", {}, "Choice"),
            entered("Train"),
        )
    )
    assert [s.name for s in found] == ["Ingest", "Train"]
    assert found[0].note == "26,398 rows, 3 in quarantine"
    assert found[0].seconds(START) == 1.0
    assert found[1].ended is None
    assert found[1].seconds(START + timedelta(seconds=9)) == 4.0


def test_what_happens_inside_a_map_is_counted_not_listed():
    found = steps(
        events(
            entered("EvaluateTrials", "Map"),
            {"type": "MapStateStarted", "mapStateStartedEventDetails": {"length": 2}},
            entered("Evaluate"),
            exited("Evaluate", {}),
            {"type": "MapIterationSucceeded"},
        )
    )
    assert [(s.name, s.note) for s in found] == [("EvaluateTrials", "1 of 2")]


def test_a_distributed_map_counts_elsewhere_and_says_nothing_wrong():
    started = {"type": "MapStateStarted", "mapStateStartedEventDetails": {"length": 0}}
    ended = {"type": "MapStateSucceeded"}
    (step,) = steps(
        events(entered("CheckPieces", "Map"), started, ended, exited("CheckPieces", {}))
    )
    assert (step.name, step.note, step.ended is None) == ("CheckPieces", "", False)


def test_a_refusal_says_which_gates_refused():
    reasons = [
        {"gate": "roc_auc", "passed": True, "text": "roc_auc 0.66 >= 0.60"},
        {"gate": "beats_champion", "passed": False, "text": "log_loss no better than version 1"},
    ]
    said = note("Validate", {"verdict": {"accepted": False, "reasons": reasons}})
    assert said == "refused: log_loss no better than version 1"


def test_the_steps_of_a_batch_say_how_far_they_came():
    assert note("Divide", {"divided": {"chunks": 1}}) == "1 chunk"
    assert note("Divide", {"divided": {"chunks": 1024}}) == "1,024 chunks"
    assert note("Merge", {"report": {"rows": 20, "predicted": 19}}) == "19 of 20 rows predicted"
