"""What the domain asks of an object store; ``driftloop.aws.store.Store`` is one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

READERS = 8  # objects read side by side; waiting is what reading small ones mostly is


class Blobs(Protocol):
    """Bytes under keys. ``get`` raises NotFound; ``list`` gives keys in order."""

    def get(self, key: str, version_id: str | None = None) -> bytes: ...
    def put(self, key: str, data: bytes, content_type: str | None = None) -> object: ...
    def exists(self, key: str) -> bool: ...
    def list(self, prefix: str) -> Iterator[str]: ...
    def put_if_absent(self, key: str, data: bytes, content_type: str | None = None) -> object: ...


def get_all(store: Blobs, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Read many objects, several at a time, in the order of ``keys``."""
    names = list(keys)
    if len(names) < 2:
        yield from ((name, store.get(name)) for name in names)
        return
    with ThreadPoolExecutor(READERS) as pool:
        yield from zip(names, pool.map(store.get, names), strict=True)
