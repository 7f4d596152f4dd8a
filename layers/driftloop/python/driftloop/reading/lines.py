"""A stream of bytes as whole physical lines, with room to look ahead.

A line ends with ``\\n``, ``\\r\\n`` or, in CSV, a lone ``\\r``. One longer than ``Limits.record``
is shown by its beginning only and skipped as it is read, so that memory stays flat.
"""

from __future__ import annotations

from driftloop.errors import TooLarge
from driftloop.reading.limits import Limits
from driftloop.reading.unpack import Readable


class Lines:
    """``peek`` shows what comes next, ``advance`` goes on behind some of it."""

    def __init__(
        self, stream: Readable, limits: Limits, returns: bool, line: int = 1, offset: int = 0
    ) -> None:
        """``returns``: a lone ``\\r`` ends a line; ``line``, ``offset``: of its first byte."""
        self.line = line
        self.offset = offset
        self._stream = stream
        self._limits = limits
        self._returns = returns
        self._rest = b""
        self._shown = 0
        self.ended = False

    def peek(self) -> bytes:
        """Some ``Limits.block`` bytes more than are left: whole lines from ``line`` on.

        Its last line lacks its end only at the end of the file (``ended``), or when it is longer
        than ``Limits.record``: then this is its beginning. Empty when nothing is left.
        """
        while True:
            self._fill()
            self._shown = len(self._rest) if self.ended else self._last_end()
            if len(self._rest) - self._shown > self._limits.record + 1:
                self._shown = len(self._rest) - self._rest.endswith(b"\r")
            if self._shown or self.ended:
                return self._rest[: self._shown]

    def advance(self, size: int, lines: int) -> None:
        """Go on behind ``size`` bytes, ``lines`` lines of what ``peek`` showed."""
        overlong = size and size == self._shown and self._unended(size)
        self._rest = self._rest[size:]
        self.line += lines
        self._move(size)
        if overlong:
            self._skip()

    def _unended(self, size: int) -> bool:
        last = self._rest[size - 1 : size]
        return not self.ended and last != b"\n" and not (self._returns and last == b"\r")

    def _fill(self) -> None:
        parts, size = [self._rest], self._limits.block
        while size > 0 and not self.ended:
            data = self._stream.read(size)
            self.ended = not data
            size -= len(data)
            parts.append(data)
        self._rest = b"".join(parts) if len(parts) > 1 else self._rest

    def _last_end(self) -> int:
        """Behind the last line end that is one for sure: a ``\\r`` may be half a ``\\r\\n``."""
        end = self._rest.rfind(b"\n") + 1
        if self._returns:
            end = max(end, self._rest.rfind(b"\r", 0, max(0, len(self._rest) - 1)) + 1)
        return end

    def _first_end(self) -> int:
        """Behind the first line end; 0 when there is none for sure."""
        end = self._rest.find(b"\n") + 1
        if self._returns and (cr := self._rest.find(b"\r", 0, end or None) + 1) and cr != end - 1:
            return cr if cr < len(self._rest) or self.ended else 0
        return end

    def _skip(self) -> None:
        while not (end := self._first_end()):
            done = len(self._rest) - self._rest.endswith(b"\r")
            if self.ended:
                end = len(self._rest)
                break
            self._rest = self._rest[done:]
            self._move(done)
            self._fill()
        self._rest = self._rest[end:]
        self._move(end)

    def _move(self, size: int) -> None:
        self.offset += size
        if self.offset > self._limits.text:
            raise TooLarge(
                f"the file holds over {self._limits.text >> 20:,} MiB of text; upload it in parts"
            )
