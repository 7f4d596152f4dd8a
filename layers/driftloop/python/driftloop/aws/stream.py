"""A stretch of bytes somewhere else, as a file that is read as one goes."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

from driftloop.errors import Unavailable

CHUNK = 8 * 1024 * 1024  # bytes asked for at once by who reads on; what is held in memory
JUMP = 1024 * 1024  # at least so many by who has jumped, and may jump again
_ATTEMPTS = 4


class Stream(io.BufferedIOBase):
    """Bytes ``start`` to before ``end`` of what ``fetch(first, last)`` gives (``last`` excluded).

    One chunk is held. A fetch that raises Unavailable is tried again, from where it broke; after
    some attempts Unavailable goes to the reader. Seekable; a position counts from ``start``.
    """

    def __init__(self, fetch: Callable[[int, int], bytes], start: int, end: int) -> None:
        self._fetch, self._start, self._size = fetch, start, max(0, end - start)
        self._position = 0
        self._chunk, self._from = memoryview(b""), 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(0, self._size - self._position)
        wanted = left if size is None or size < 0 else min(size, left)
        pieces = []
        while wanted:
            piece = self._here(wanted)[:wanted]
            pieces.append(piece)
            self._position += len(piece)
            wanted -= len(piece)
        return b"".join(pieces)

    def read1(self, size: int = -1, /) -> bytes:
        """What is at hand, at least a byte before the end."""
        if self._position >= self._size:
            return b""
        here = self._here(size)
        return self.read(len(here) if size < 0 else min(size, len(here)))

    def _here(self, wanted: int) -> memoryview:
        """The chunk from the position on, fetched unless it is held."""
        offset = self._position - self._from
        if not 0 <= offset < len(self._chunk):
            goes_on = offset == len(self._chunk)
            size = CHUNK if goes_on else min(CHUNK, max(JUMP, wanted))
            last = min(self._position + size, self._size)
            self._chunk = memoryview(self._insist(self._start + self._position, self._start + last))
            self._from, offset = self._position, 0
        return self._chunk[offset:]

    def _insist(self, first: int, last: int) -> bytes:
        for attempt in range(_ATTEMPTS):
            try:
                data = self._fetch(first, last)
            except Unavailable:
                if attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(0.1 * 2**attempt)
                continue
            if data:
                return data
        raise Unavailable(f"bytes {first} to {last} came back empty")
