"""An object store in memory that counts its writes and can die at any of them."""

from __future__ import annotations

from collections.abc import Iterator

from driftloop.errors import NotFound


class Crash(Exception):
    """The process died here."""


class Memory:
    def __init__(self, crash_at: int | None = None) -> None:
        self.objects: dict[str, bytes] = {}
        self.writes: list[str] = []
        self.crash_at = crash_at

    def get(self, key: str, version_id: str | None = None) -> bytes:
        if key not in self.objects:
            raise NotFound(key)
        return self.objects[key]

    def put(self, key: str, data: bytes, content_type: str | None = None) -> None:
        if self.crash_at is not None and len(self.writes) >= self.crash_at:
            raise Crash(key)
        self.writes.append(key)
        self.objects[key] = data

    def put_if_absent(self, key: str, data: bytes, content_type: str | None = None) -> bool:
        if key in self.objects:
            return False
        self.put(key, data)
        return True

    def exists(self, key: str) -> bool:
        return key in self.objects

    def list(self, prefix: str) -> Iterator[str]:
        return iter(sorted(key for key in self.objects if key.startswith(prefix)))
