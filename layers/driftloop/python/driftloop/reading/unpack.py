"""Which format the bytes are, and gzip unpacked as it is read."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from typing import Protocol

from driftloop.errors import TooLarge, UnreadableFile
from driftloop.reading.limits import Limits

GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"
BOM = b"\xef\xbb\xbf"
WANTED = "CSV, JSON Lines or Parquet is needed"
HEAD = 4096  # bytes that tell a format

_FOREIGN = (
    (rb"PK(\x03\x04|\x05\x06)", "a zip archive or an Excel workbook; save its table as CSV"),
    (rb"\xd0\xcf\x11\xe0", "an old Excel or Word file; save its table as CSV"),
    (rb"\xff\xfe|\xfe\xff|\0\0\xfe\xff", "UTF-16 text; save it as UTF-8"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8", f"a picture; {WANTED}"),
    (rb"%PDF", f"a PDF; {WANTED}"),
    (rb"\x80[\x02-\x05](\x95|[(}\]c])", f"a Python pickle, which is never opened; {WANTED}"),
    (rb"SQLite format 3", "an SQLite database; export its table as CSV"),
    (rb"\x93NUMPY", f"a NumPy array; {WANTED}"),
    (rb"\x89HDF", f"an HDF5 file; {WANTED}"),
    (rb"ARROW1|FEA1", "an Arrow or Feather file; save it as Parquet"),
    (rb"ORC|Obj\x01", "an ORC or Avro file; save it as Parquet"),
    (rb"BZh[1-9]|\xfd7zXZ|\x28\xb5\x2f\xfd|7z\xbc\xaf", "packed by something else than gzip"),
    (rb"\s*\[\s*([{\[\]]|$)", "one JSON array; write JSON Lines, one object a line"),
    (rb"\s*\{\s*\n", "one JSON document; write JSON Lines, one object a line"),
    (rb"\s*<(\?xml|!doctype|html)", f"XML or HTML; {WANTED}"),
    (rb"%TSD|\{\\rtf", f"a document; {WANTED}"),
)  # fmt: skip


def refuse_foreign(head: bytes) -> None:
    """Raises UnreadableFile when ``head`` is a format by name that is not read here."""
    for pattern, what in _FOREIGN:
        if re.match(pattern, head, re.IGNORECASE if b"<" in pattern else 0):
            raise UnreadableFile(f"the file is {what}")


class Readable(Protocol):
    """The one thing a stream must do."""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; empty at the end only."""
        ...


class Plain:
    """A stream whose first bytes have been looked at: ``head``, then the rest."""

    def __init__(self, head: bytes, stream: Readable) -> None:
        self._head = head
        self._stream = stream

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes; empty at the end only."""
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
            return data
        return self._stream.read(size)


class Unpacked:
    """The text of a gzip stream. ``read`` raises UnreadableFile when it is damaged, TooLarge
    before it unpacks further than the limits go."""

    def __init__(self, packed: Readable, limits: Limits) -> None:
        self._packed = _Counted(packed)
        self._text = gzip.GzipFile(fileobj=self._packed)
        self._limits = limits
        self._out = 0

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes; empty at the end only."""
        bounds = self._limits
        if self._out > max(bounds.spared, bounds.ratio * self._packed.count):
            raise TooLarge(
                f"the gzip file unpacks to over {bounds.ratio} times its size "
                f"({self._packed.count:,} bytes to {self._out:,} so far); if it is no bomb, "
                "upload it in smaller files or as Parquet"
            )
        try:
            data = self._text.read(size)
        except (OSError, EOFError, zlib.error) as error:
            if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
                raise  # of the stream below
            raise UnreadableFile(f"the gzip file is damaged: {error}") from None
        self._out += len(data)
        return data


class _Counted(io.RawIOBase):
    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size if size >= 0 else HEAD)
        self.count += len(data)
        return data
