"""How much one file may ask for. Beyond it lies a mistake, or a bomb."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Bounds of reading, in bytes unless said otherwise.

    ``ratio``: how many bytes one packed byte may unpack to, once ``spared`` bytes are out: gzip
    reaches 1032, tables of text 5 to 50. ``parquet_ratio``: the same for rows × columns × 8 bytes
    of a Parquet file, whose run lengths honestly fold a constant column to nothing.
    ``pages``: what the largest pages of a row group, one of each column, may unpack to together.
    ``record_lines``: physical lines of one record; with ``record`` it bounds what a stray quote
    makes one look ahead.
    """

    text: int = 64 << 30
    ratio: int = 200
    parquet_ratio: int = 2000
    spared: int = 64 * MIB
    pages: int = 256 * MIB
    footer: int = 32 * MIB
    columns: int = 2000
    record: int = MIB
    record_lines: int = 1000
    block: int = 2 * MIB
    rows: int = 32_768


LIMITS = Limits()
