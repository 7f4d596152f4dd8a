"""S3 tells EventBridge of objects, in the shape of its guide."""

import json
from typing import Any

import pytest

RULE = "arn:aws:events:us-east-1:123456789012:rule/objects"


@pytest.fixture
def s3(aws: Any) -> Any:
    arn = aws.function("f")
    aws.permit(arn, "events.amazonaws.com", RULE)
    client = aws.client("events")
    client.put_rule(Name="objects", EventPattern=json.dumps({"source": ["aws.s3"]}))
    client.put_targets(Rule="objects", Targets=[{"Id": "f", "Arn": arn}])
    bucket = aws.client("s3")
    bucket.create_bucket(Bucket="landing")
    bucket.put_bucket_versioning(Bucket="landing", VersioningConfiguration={"Status": "Enabled"})
    bucket.put_bucket_notification_configuration(
        Bucket="landing", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    return bucket


def events(aws: Any) -> list[dict[str, Any]]:
    aws.settle()
    return [event for _, event, _ in aws.invoked]


def test_put_object(aws: Any, s3: Any) -> None:
    aws.settle(minutes=90)
    answer = s3.put_object(Bucket="landing", Key="incoming/flights/ü 1.csv", Body=b"a,b\n")
    (event,) = events(aws)
    assert event["detail-type"] == "Object Created"
    assert event["time"] == "2013-02-01T01:30:00Z"
    assert event["resources"] == ["arn:aws:s3:::landing"]
    detail = event["detail"]
    assert detail["bucket"] == {"name": "landing"}
    assert detail["reason"] == "PutObject"
    assert set(detail) == {
        *("version", "bucket", "object", "request-id", "requester"),
        *("source-ip-address", "reason"),
    }
    sequencer = detail["object"].pop("sequencer")
    assert int(sequencer, 16) > 0
    assert detail["object"] == {
        "key": "incoming/flights/ü 1.csv",
        "size": 4,
        "etag": answer["ETag"].strip('"'),
        "version-id": answer["VersionId"],
    }


def test_copy_and_multipart_each_tell_once(aws: Any, s3: Any) -> None:
    s3.put_object(Bucket="landing", Key="a", Body=b"x")
    s3.copy_object(Bucket="landing", Key="b", CopySource={"Bucket": "landing", "Key": "a"})
    upload = s3.create_multipart_upload(Bucket="landing", Key="c")["UploadId"]
    part = s3.upload_part(Bucket="landing", Key="c", UploadId=upload, PartNumber=1, Body=b"yy")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket="landing", Key="c", UploadId=upload, MultipartUpload=parts)
    told = [(e["detail"]["object"]["key"], e["detail"]["reason"]) for e in events(aws)]
    assert sorted(told) == [
        ("a", "PutObject"),
        ("b", "CopyObject"),
        ("c", "CompleteMultipartUpload"),
    ]


def test_tags_and_acls_are_not_told(aws: Any, s3: Any) -> None:
    s3.put_object(Bucket="landing", Key="a", Body=b"x", Tagging="k=v")
    s3.put_object_tagging(
        Bucket="landing", Key="a", Tagging={"TagSet": [{"Key": "k", "Value": "w"}]}
    )
    s3.put_object_acl(Bucket="landing", Key="a", ACL="private")
    assert [event["detail-type"] for event in events(aws)] == ["Object Created"]


def test_deletions_say_whether_anything_can_come_back(aws: Any, s3: Any) -> None:
    version = s3.put_object(Bucket="landing", Key="a", Body=b"x")["VersionId"]
    marker = s3.delete_object(Bucket="landing", Key="a")["VersionId"]
    s3.delete_object(Bucket="landing", Key="a", VersionId=version)
    s3.delete_object(Bucket="landing", Key="a", VersionId="no-such-version")
    told = {
        event["detail"]["object"]["version-id"]: event["detail"]["deletion-type"]
        for event in events(aws)
        if event["detail-type"] == "Object Deleted"
    }
    assert told == {marker: "Delete Marker Created", version: "Permanently Deleted"}


def test_a_bucket_without_the_switch_is_silent(aws: Any, s3: Any) -> None:
    s3.create_bucket(Bucket="store")
    s3.put_object(Bucket="store", Key="a", Body=b"x")
    s3.delete_object(Bucket="store", Key="a")
    assert events(aws) == []


def test_an_unversioned_object_has_no_version_id(aws: Any, s3: Any) -> None:
    s3.create_bucket(Bucket="plain")
    s3.put_bucket_notification_configuration(
        Bucket="plain", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    s3.put_object(Bucket="plain", Key="a", Body=b"x")
    aws.settle()
    s3.delete_object(Bucket="plain", Key="a")
    created, deleted = events(aws)
    assert "version-id" not in created["detail"]["object"]
    assert deleted["detail"]["deletion-type"] == "Permanently Deleted"
    assert deleted["detail"]["object"]["key"] == "a"
