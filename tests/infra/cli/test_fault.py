"""Errors reach people as sentences with an exit code; our own mistakes stay tracebacks."""

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError

from driftloop.client import Refused
from driftloop.errors import SpecError, Unavailable
from infra.cli.app import run
from infra.cli.fault import Fault, nearest, understood


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Fault("no", 2), 2),
        (SpecError("specs/a.yaml: target: is missing"), 2),
        (Unavailable("s3 did not answer"), 3),
        (NoCredentialsError(), 3),
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutObject"), 1),
    ],
)
def test_what_a_person_can_mend_is_a_sentence(error, code):
    fault = understood(error)
    assert fault is not None
    assert fault.code == code


def test_every_mistake_in_a_request_is_told():
    errors = [{"field": f, "message": f"{f}: is required"} for f in ("rows[0].x", "rows[0].y")]
    fault = understood(Refused("rows[0].x: … (and 1 more)", 400, {"errors": errors}))
    assert str(fault) == (
        "the endpoint answered 400:\n  rows[0].x: is required\n  rows[0].y: is required"
    )
    one = Refused("the endpoint answered 400: x: is required", 400, {"errors": errors[:1]})
    assert str(understood(one)) == str(one)


def test_a_mistake_of_ours_is_not_hidden():
    assert understood(KeyError("x")) is None


def test_the_nearest_name_is_offered():
    assert nearest("flihgts", ["flights", "houses"]) == "; did you mean 'flights'?"
    assert nearest("zzz", ["flights", "houses"]) == "; there is flights, houses"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["runz"], 2, 'Did you mean "runs"'),
        (["upload", "flights"], 2, "at least one file"),
        (["up", "--model", "nowhere.yaml", "--port", "0"], 2, "there is no such file"),
        (["demo", "--months", "12"], 2, "not between 1 and 11"),
        (["down"], 3, "no embedded AWS is running"),
    ],
)
def test_mistakes_end_without_a_traceback(arguments, code, said, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert run(arguments) == code
    assert said in capsys.readouterr().err.replace("\n", " ")


def test_an_endpoint_without_a_region_is_told_apart_from_no_endpoint(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert "no embedded AWS is running" in str(understood(NoRegionError()))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:4566")
    assert "export AWS_REGION" in str(understood(NoRegionError()))
