"""An object store in memory that counts its writes and can die at any of them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from driftloop.blobs import Version
from driftloop.errors import NotFound


class Crash(Exception):
    """The process died here."""


class Memory:
    """``others``: buckets it can copy from, by name."""

    def __init__(
        self, crash_at: int | None = None, others: Mapping[str, Memory] | None = None
    ) -> None:
        self.objects: dict[str, bytes] = {}
        self.writes: list[str] = []
        self.crash_at = crash_at
        self.others = others or {}

    def get(self, key: str, version_id: str | None = None) -> bytes:
        if key not in self.objects:
            raise NotFound(key)
        return self.objects[key]

    def open(
        self, key: str, version_id: str | None = None, start: int = 0, end: int | None = None
    ) -> BinaryIO:
        return io.BytesIO(self.get(key)[start:end])

    def put(self, key: str, data: bytes, content_type: str | None = None) -> None:
        if self.crash_at is not None and len(self.writes) >= self.crash_at:
            raise Crash(key)
        self.writes.append(key)
        self.objects[key] = data

    def put_file(self, key: str, file: BinaryIO, content_type: str | None = None) -> None:
        self.put(key, file.read())

    def put_if_absent(self, key: str, data: bytes, content_type: str | None = None) -> bool:
        if key in self.objects:
            return False
        self.put(key, data)
        return True

    def copy_from(
        self, key: str, source: str, version_id: str | None = None, bucket: str = ""
    ) -> None:
        self.put(key, self.others.get(bucket, self).get(source, version_id))

    def exists(self, key: str) -> bool:
        return key in self.objects

    def list(self, prefix: str) -> Iterator[str]:
        return iter(sorted(key for key in self.objects if key.startswith(prefix)))

    def versions(self, prefix: str) -> Iterator[Version]:
        return (Version(key, "v1", len(self.objects[key])) for key in self.list(prefix))
