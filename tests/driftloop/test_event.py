"""EventBridge's events, as AWS documents them, into ours."""

import pytest

from driftloop.errors import BadRequest
from driftloop.event import read


def raw(source, kind, detail, **more):
    return {
        "version": "0", "id": "e-1", "source": source, "detail-type": kind,
        "account": "123456789012", "time": "2013-02-01T05:00:00Z", "region": "us-east-1",
        "resources": [], "detail": detail, **more,
    }  # fmt: skip


def upload(key="incoming/flights/jan.csv.gz", version="v1", size=10):
    thing = {"key": key, "size": size, "etag": "x", "version-id": version, "sequencer": "1"}
    detail = {"version": "0", "bucket": {"name": "landing"}, "object": thing, "reason": "PutObject"}
    return raw("aws.s3", "Object Created", detail)


def alarm(name="driftloop-dev-flights-drift", value="ALARM", stamp="2013-02-01T04:59:59.5+0000"):
    detail = {
        "alarmName": name,
        "state": {"value": value, "reason": "Threshold Crossed", "timestamp": stamp},
        "previousState": {"value": "OK"},
    }
    return raw("aws.cloudwatch", "CloudWatch Alarm State Change", detail)


def ended(status="SUCCEEDED", **more):
    arn = "arn:aws:states:us-east-1:123456789012:execution:driftloop-dev-flights:upload-1"
    detail = {"executionArn": arn, "name": "upload-1", "status": status, "output": None, **more}
    return raw("aws.states", "Step Functions Execution Status Change", detail)


def test_an_upload_names_bucket_key_version_and_size():
    event = read(upload(), "d-1", "flights")
    assert (event.kind, event.cause, event.time) == ("upload", "upload", "2013-02-01T05:00:00.000Z")
    assert event.uploads == (
        {"bucket": "landing", "key": "incoming/flights/jan.csv.gz", "version_id": "v1", "size": 10},
    )
    assert event.ignore == "" and "jan.csv.gz" in event.reason


def test_deliveries_of_one_event_share_a_digest_and_others_do_not():
    digests = [
        read(e, d, m).digest
        for e, d, m in [
            (upload(), "d-1", "flights"),
            (upload(version="v2"), "d-1", "flights"),
            (upload(key="incoming/flights/b.csv"), "d-1", "flights"),
            (alarm(), "d-1", "flights"),
            (alarm(stamp="2013-02-01T05:59:59.5+0000"), "d-1", "flights"),
            (alarm(), "d-1", "trains"),
        ]
    ]
    assert len(set(digests)) == len(digests)
    assert read(upload(), "d-2", "flights").digest == digests[0]


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (upload(key="incoming/flights/", size=0), "folder"),
        (upload(key="incoming/flights/2013/", size=0), "folder"),
        (upload(key="incoming/flights/2013/part-0.csv"), "waits for 2013/_SUCCESS"),
        (upload(key="incoming/flights/a/b/part-0.csv"), "waits for a/b/_SUCCESS"),
        (upload(key="incoming/flights/_SUCCESS", size=0), "lies in no folder"),
        (upload(key="incoming/trains/a.csv"), "not under incoming/flights/"),
        (upload(key="incoming/flights-b/a.csv"), "not under"),
        (alarm(value="OK"), "went to OK"),
        (alarm(name="driftloop-dev-flights-errors"), "not one of"),
        (ended("RUNNING"), "goes on"),
    ],
)
def test_what_starts_nothing_says_why(event, words):
    assert words in read(event, "d", "flights").ignore


@pytest.mark.parametrize("key", ["2013/_SUCCESS", "a/b/_SUCCESS", "some.manifest",
                                 "a/some.manifest.json"])  # fmt: skip
def test_a_marker_or_a_manifest_is_the_upload_of_its_files(key):
    event = read(upload(key=f"incoming/flights/{key}", size=0), "d", "flights")
    assert (event.ignore, event.cause) == ("", "upload")


def test_an_empty_file_is_a_run_that_will_say_so():
    assert read(upload(size=0), "d", "flights").ignore == ""


def test_rules_are_told_apart_by_their_names():
    def scheduled(name):
        arn = f"arn:aws:events:us-east-1:123456789012:rule/driftloop-dev-flights-{name}"
        return raw("aws.events", "Scheduled Event", {}, resources=[arn])

    assert read(scheduled("retrain"), "d", "flights").cause == "schedule"
    assert read(scheduled("sweep"), "d", "flights").kind == "sweep"
    with pytest.raises(BadRequest):
        read(scheduled("monitor"), "d", "flights")


def test_a_person_and_the_end_of_a_run():
    asked = raw("driftloop", "Run Requested", {"model": "flights", "actor": "ann", "reason": "now"})
    assert read(asked, "d", "flights").reason == "ann asked for it: now"
    asked["detail"] |= {"actor": "a" * 10_000, "reason": "b" * 200_000}
    assert len(read(asked, "d", "flights").reason) < 1100
    end = read(ended("FAILED", error="NotEnoughData", cause="{}"), "d", "flights").ended
    assert (end.run, end.status, end.error, end.complete) == (
        "upload-1", "FAILED", "NotEnoughData", True,
    )  # fmt: skip
    assert not read(ended(), "d", "flights").ended.complete


@pytest.mark.parametrize("event", [{}, raw("aws.s3", "Object Deleted", {}),
                                   raw("aws.s3", "Object Created", {}),
                                   upload() | {"time": "yesterday"}])  # fmt: skip
def test_an_unknown_event_is_refused_by_name(event):
    with pytest.raises(BadRequest, match="no event the trigger understands"):
        read(event, "d", "flights")
