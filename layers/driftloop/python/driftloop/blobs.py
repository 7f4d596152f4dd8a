"""What the domain asks of an object store; ``driftloop.aws.store.Store`` is one."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, cast

READERS = 8  # objects read side by side; waiting is what reading small ones mostly is
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Version:
    """One version of an object. ``size`` in bytes."""

    key: str
    version_id: str
    size: int


class Blobs(Protocol):
    """Bytes under keys. ``get``, ``open`` and ``copy_from`` raise NotFound; ``list`` and
    ``versions`` give keys in order."""

    def get(self, key: str, version_id: str | None = None) -> bytes: ...
    def open(
        self, key: str, version_id: str | None = None, start: int = 0, end: int | None = None
    ) -> BinaryIO: ...
    def put(self, key: str, data: bytes, content_type: str | None = None) -> object: ...
    def put_file(self, key: str, file: BinaryIO, content_type: str | None = None) -> object: ...
    def put_if_absent(self, key: str, data: bytes, content_type: str | None = None) -> object: ...
    def copy_from(
        self, key: str, source: str, version_id: str | None = None, bucket: str = ""
    ) -> object: ...
    def exists(self, key: str) -> bool: ...
    def list(self, prefix: str) -> Iterator[str]: ...
    def versions(self, prefix: str) -> Iterator[Version]: ...


def get_all(store: Blobs, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Read many objects, several at a time and a few ahead, in the order of ``keys``."""
    names = list(keys)
    if len(names) < 2:
        yield from ((name, store.get(name)) for name in names)
        return
    asked: deque[tuple[str, Future[bytes]]] = deque()
    with ThreadPoolExecutor(READERS) as pool:
        for name in names:
            asked.append((name, pool.submit(store.get, name)))
            if len(asked) > READERS:
                yield _taken(asked)
        while asked:
            yield _taken(asked)


def _taken(asked: deque[tuple[str, Future[bytes]]]) -> tuple[str, bytes]:
    name, found = asked.popleft()
    return name, found.result()


def joined(files: Iterable[BinaryIO]) -> BinaryIO:
    """Files one behind the other, read as one; each is asked for, and closed, in its turn. Members
    of gzip make a gzip file."""

    def blocks() -> Iterator[bytes]:
        for file in files:
            with file:
                while data := file.read(_BLOCK):
                    yield data

    return flowing(blocks())


def flowing(blocks: Iterable[bytes]) -> BinaryIO:
    """Bytes that are made as they are read."""
    return cast(BinaryIO, io.BufferedReader(_Flowing(blocks)))


class _Flowing(io.RawIOBase):
    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any, /) -> int:
        while not self._left:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._left = memoryview(block)
        size = min(len(into), len(self._left))
        into[:size], self._left = self._left[:size], self._left[size:]
        return size
