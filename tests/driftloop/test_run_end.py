import json

import pytest

from driftloop.event import RunEnd
from driftloop.run import Run
from driftloop.run_end import finished

RUN = Run(run="upload-1", cause="upload", version=3)


def end(status="SUCCEEDED", **more):
    return finished(RUN, RunEnd("upload-1", status, **more), "2013-02-01T05:00:00.000Z")


@pytest.mark.parametrize(
    ("release", "outcome"),
    [("promoted", "released"), ("rolled_back", "rolled_back")],
)
def test_a_release_names_the_outcome(release, outcome):
    output = {
        "ingest": {"accepted": 90, "rejected": 2, "parts": []},
        "verdict": {"accepted": True, "reasons": [{"gate": "g", "passed": True, "text": "fine"}]},
        "version": {"version": 7, "candidate": "c"},
        "release": {"status": release, "reason": "because"},
    }
    run = end(output=json.dumps(output))
    assert (run.outcome, run.message, run.version) == (outcome, "because", 7)
    assert run.rows == {"accepted": 90, "rejected": 2}
    assert run.verdict["accepted"] is True


def test_a_rejection_gives_the_reasons_of_the_gates_that_failed():
    reasons = [
        {"gate": "a", "passed": True, "text": "A"},
        {"gate": "b", "passed": False, "text": "B"},
    ]
    run = end(output=json.dumps({"verdict": {"accepted": False, "reasons": reasons}}))
    assert (run.outcome, run.message) == ("rejected", "B")


def test_a_failure_says_what_the_function_said_and_no_stack():
    cause = {"errorMessage": "a.csv: is empty", "errorType": "UnreadableFile", "stackTrace": ["x"]}
    run = end("FAILED", error="UnreadableFile", cause=json.dumps(cause))
    assert (run.outcome, run.error, run.message) == ("failed", "UnreadableFile", "a.csv: is empty")
    assert end("FAILED", error="States.Timeout", cause="plain words").message == "plain words"


@pytest.mark.parametrize("status", ["TIMED_OUT", "ABORTED", "FAILED"])
def test_an_end_without_words_gets_some(status):
    run = end(status)
    assert (run.outcome, run.error) == ("failed", status)
    assert run.message


@pytest.mark.parametrize("output", [None, "", "nonsense", "[]", "{}"])
def test_an_output_that_says_nothing_is_no_error(output):
    assert end(output=output).outcome == "finished"
