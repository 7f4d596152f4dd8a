import boto3
import pytest

from driftloop.errors import NotFound


def test_objects_are_put_read_listed_and_not_overwritten(store):
    store.put("m/b.json", b"{}")
    assert store.put_if_absent("m/a.csv", b"1") is True
    assert store.put_if_absent("m/a.csv", b"2") is False
    assert store.get("m/a.csv") == b"1"
    assert list(store.list("m/")) == ["m/a.csv", "m/b.json"]
    assert store.exists("m/a.csv") and not store.exists("m/c")
    head = store.head("m/b.json")
    assert (head.size, head.content_type) == (2, "application/json")


def test_a_pinned_read_gives_that_version(store):
    s3 = boto3.client("s3")
    s3.put_bucket_versioning(Bucket="store", VersioningConfiguration={"Status": "Enabled"})
    old = s3.put_object(Bucket="store", Key="k", Body=b"old")["VersionId"]
    store.put("k", b"new")
    assert (store.get("k", old), store.get("k")) == (b"old", b"new")


def test_a_missing_object_is_not_found_by_name(store):
    with pytest.raises(NotFound, match="s3://store/nowhere"):
        store.get("nowhere")
    with pytest.raises(NotFound):
        store.head("nowhere")
