"""Data files → blocks of raw columns, each row with the line it stands on and its own text.

``open_source`` tells CSV, JSON Lines and Parquet (plain or gzip) apart by their bytes; ``cut``
splits a large file into pieces at record boundaries, which ``open_piece`` reads as if the file
were read in one pass.
"""

from driftloop.reading.block import Block, Broken
from driftloop.reading.cut import Cut, cut
from driftloop.reading.limits import Limits
from driftloop.reading.source import Source, open_piece, open_source

__all__ = ["Block", "Broken", "Cut", "Limits", "Source", "cut", "open_piece", "open_source"]
