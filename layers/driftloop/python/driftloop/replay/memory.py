"""An object store in memory."""

from __future__ import annotations

import io
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from driftloop.blobs import Version
from driftloop.errors import NotFound


class Memory:
    """Blobs in memory. What ``under`` holds can be read by name too, yet is neither listed nor ever
    written: parts and plans, say, that lie there whether or not they count yet."""

    def __init__(self, under: Mapping[str, bytes] | None = None) -> None:
        self.objects: dict[str, bytes] = {}
        self._names: list[str] = []
        self._under = under or {}

    def get(self, key: str, version_id: str | None = None) -> bytes:
        data = self.objects.get(key, self._under.get(key))
        if data is None:
            raise NotFound(key)
        return data

    def open(
        self, key: str, version_id: str | None = None, start: int = 0, end: int | None = None
    ) -> BinaryIO:
        return io.BytesIO(self.get(key)[start:end])

    def put(self, key: str, data: bytes, content_type: str | None = None) -> None:
        if key not in self.objects:
            insort(self._names, key)
        self.objects[key] = data

    def put_file(self, key: str, file: BinaryIO, content_type: str | None = None) -> None:
        self.put(key, file.read())

    def put_if_absent(self, key: str, data: bytes, content_type: str | None = None) -> bool:
        if self.exists(key):
            return False
        self.put(key, data)
        return True

    def copy_from(
        self, key: str, source: str, version_id: str | None = None, bucket: str = ""
    ) -> None:
        self.put(key, self.get(source))

    def exists(self, key: str) -> bool:
        return key in self.objects or key in self._under

    def list(self, prefix: str) -> Iterator[str]:
        first = bisect_left(self._names, prefix)
        last = bisect_left(self._names, prefix + "\U0010ffff")
        return iter(self._names[first:last])

    def versions(self, prefix: str) -> Iterator[Version]:
        return (Version(key, "", len(self.objects[key])) for key in self.list(prefix))

    def forget(self, key: str) -> None:
        """Make room: as if it had never been put."""
        if self.objects.pop(key, None) is not None:
            del self._names[bisect_left(self._names, key)]
