"""Which objects of the landing bucket are one upload."""

from __future__ import annotations

import json
from typing import Any

import pytest

from driftloop.errors import NotFound, UnreadableFile
from driftloop.uploads.upload import Upload, files
from tests.driftloop.memory import Memory


def landing(*names: str) -> Memory:
    store = Memory()
    store.objects = {f"incoming/m/{name}": b"x" for name in names}
    return store


def upload(name: str, size: int = 0) -> Upload:
    return Upload("landing", f"incoming/m/{name}", "v1", size)


def named(store: Memory, name: str) -> list[str]:
    return [f.key.removeprefix("incoming/m/") for f in files(store, "m", upload(name))]


def test_a_file_is_itself() -> None:
    (only,) = files(Memory(), "m", upload("a.csv", 7))
    assert (only.key, only.version_id, only.size) == ("incoming/m/a.csv", "v1", 7)


def test_a_marker_speaks_for_the_data_of_its_folder() -> None:
    store = landing(
        "d/_SUCCESS", "d/part-1.csv", "d/part-0.csv", "d/dt=1/part-2.csv", "d/_started", "d/.crc",
        "d/_temporary/0/part-9.csv", "d/all.manifest", "other.csv", "dd/part-3.csv",
    )  # fmt: skip
    store.objects["incoming/m/d/part-empty.csv"] = b""
    assert named(store, "d/_SUCCESS") == ["d/dt=1/part-2.csv", "d/part-0.csv", "d/part-1.csv"]


def test_a_folder_without_data_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="no file with data"):
        named(landing("d/_SUCCESS", "d/_log"), "d/_SUCCESS")


def manifest(*entries: Any) -> bytes:
    return json.dumps({"entries": entries}).encode()


def url(name: str, **more: Any) -> dict[str, Any]:
    return {"url": f"s3://landing/incoming/m/{name}", **more}


def test_a_manifest_names_its_files_in_its_order_and_each_once() -> None:
    store = landing("b.csv", "d/a.csv", "a.csv-not-named")
    store.objects["incoming/m/x.manifest"] = manifest(
        url("d/a.csv"), url("b.csv", mandatory=True, meta={"content_length": 1}), url("d/a.csv"),
        url("a.csv"),
    )  # fmt: skip
    assert named(store, "x.manifest") == ["d/a.csv", "b.csv"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"url,mandatory\n", "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b"[1]", "cannot be read"),
        (b'{"entries": 3}', "no list"),
        (b'{"entries": []}', "names no file"),
        (manifest("s3://x"), r"entries\[0\]"),
        (manifest(url("a.csv", mandatory="yes")), r"entries\[0\]"),
        (manifest(url("\ud800", mandatory=True)), r"entries\[0\]"),
        (manifest(url("gone.csv", mandatory=True)), "gone.csv, which is not there"),
        (manifest(url("gone.csv")), "names no file"),
        (manifest(url("a.csv", meta={"content_length": 5})), "has 5 bytes; it has 1"),
        (manifest({"url": "s3://other/incoming/m/a.csv"}), "does not lie under"),
        (manifest({"url": "s3://landing/incoming/trains/a.csv"}), "does not lie under"),
        (manifest(url("x.manifest")), "does not lie under"),
    ],
)
def test_a_bad_manifest_is_refused_by_name(data: bytes, words: str) -> None:
    store = landing("a.csv")
    store.objects["incoming/m/x.manifest"] = data
    with pytest.raises(UnreadableFile, match=words):
        named(store, "x.manifest")


def test_a_manifest_that_is_gone() -> None:
    with pytest.raises(NotFound):
        named(Memory(), "x.manifest")
