import io

import boto3
import pytest

from driftloop.errors import NotFound, RegistryConflict


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


def test_a_stream_gives_one_version_of_the_object_and_ranges_of_it(store):
    s3 = boto3.client("s3")
    s3.put_bucket_versioning(Bucket="store", VersioningConfiguration={"Status": "Enabled"})
    old = s3.put_object(Bucket="store", Key="k", Body=b"0123456789")["VersionId"]
    store.put("k", b"new")
    assert store.open("k", old).read() == b"0123456789"
    assert store.open("k", old, 3, 6).read() == b"345"
    assert store.open("k", None, 2, 99).read() == b"w"
    seen = store.open("k")
    store.put("k", b"newer")
    with pytest.raises(RegistryConflict):
        seen.read()
    store.put("empty", b"")
    assert store.open("empty").read() == b""
    with pytest.raises(NotFound):
        store.open("nowhere")


def test_a_file_is_put_as_it_is_read_and_an_object_copied_as_it_is(store):
    whole = bytes(range(256)) * (20 << 12)  # 20 MiB
    store.put_file("m/part.parquet", io.BufferedReader(io.BytesIO(whole)))
    assert store.get("m/part.parquet") == whole
    store.copy_from("m/copy", "m/part.parquet", bucket="store")
    assert store.get("m/copy") == whole
    with pytest.raises(NotFound):
        store.copy_from("m/copy", "nowhere")


def test_what_is_larger_goes_in_parts(store, monkeypatch):
    monkeypatch.setattr("driftloop.aws.store._LARGE", 6 << 20)
    whole = bytes(range(256)) * (20 << 12)
    store.put_file("big", io.BufferedReader(io.BytesIO(whole)))
    store.copy_from("copy", "big")
    assert store.get("copy") == store.get("big") == whole


def test_the_newest_version_of_each_object_is_listed(store):
    s3 = boto3.client("s3")
    s3.put_bucket_versioning(Bucket="store", VersioningConfiguration={"Status": "Enabled"})
    for key, body in (("f/b", b"1"), ("f/a", b"1"), ("f/b", b"12"), ("f/gone", b"1")):
        s3.put_object(Bucket="store", Key=key, Body=body)
    s3.delete_object(Bucket="store", Key="f/gone")
    assert [(v.key, v.size) for v in store.versions("f/")] == [("f/a", 1), ("f/b", 2)]


def test_what_is_only_passing_is_marked_so_and_its_copies_are_not(store):
    s3 = boto3.client("s3")

    def tags(key):
        return s3.get_object_tagging(Bucket="store", Key=key)["TagSet"]

    store.put("m/pieces/u/0.json", b"{}")
    store.put_file("m/pieces/u/0.parquet", io.BytesIO(b"PAR1"))
    store.copy_from("m/parts/x.parquet", "m/pieces/u/0.parquet")
    passing = [{"Key": "driftloop", "Value": "passing"}]
    assert tags("m/pieces/u/0.json") == tags("m/pieces/u/0.parquet") == passing
    assert tags("m/parts/x.parquet") == []
