"""A dataset as one file: CSV, JSON Lines or Parquet, the same bytes every time.

Numbers are written with the fewest digits that give the same float64 back, times in ISO 8601 to the
millisecond, what is missing as nothing (CSV) or null. So a file that holds one part, uploaded
again, is that part. Every part is read against the hash that names it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from driftloop.blobs import Blobs
from driftloop.data import parquet
from driftloop.data.dataset import Dataset, scan
from driftloop.errors import BadRequest
from driftloop.rejects import formula

Format = Literal["csv", "jsonl", "parquet"]
_BYTES = 16 << 20  # of values that are turned into text at once
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*").fullmatch
_QUOTED = re.compile('[",\r\n]').search


@dataclass
class Exported:
    """``formulas``: cells that a spreadsheet may take for a formula (see driftloop.formula)."""

    rows: int = 0
    formulas: int = 0


def write(
    store: Blobs, model: str, found: Dataset, form: Format, out: BinaryIO, defuse: bool = False
) -> Exported:
    """Write all rows of a dataset, in its order. ``defuse`` (CSV): make such cells harmless for
    spreadsheets; the file is then none to upload again.

    Raises IntegrityError for a part that is not what its name says, BadRequest for a text that
    the format cannot hold.
    """
    batches = scan(store, model, found)
    if form == "parquet":
        return _write_parquet(batches, found, out)
    return _Lines(form, out, defuse).write(batches)


class _Lines:
    """Rows as lines of text."""

    def __init__(self, form: Format, out: BinaryIO, defuse: bool) -> None:
        self.form, self.out, self.defuse = form, out, defuse
        self.null = "" if form == "csv" else "null"
        self.done = Exported()

    def write(self, batches: Iterator[Any]) -> Exported:
        names: list[str] = []
        for batch in batches:
            if self.form == "csv" and not names:
                header = ",".join(map(self._header, batch.schema.names))
                self.out.write(f"{header}\n".encode())
            names = batch.schema.names
            step = max(_BYTES * len(batch) // max(batch.nbytes, 1), 1)
            for start in range(0, len(batch), step):
                self._write(names, batch.slice(start, step))
            self.done.rows += len(batch)
        return self.done

    def _write(self, names: list[str], rows: Any) -> None:
        leads = ["", *[","] * (len(names) - 1)]
        end = "\n"
        if self.form == "jsonl":
            leads = [f"{'{,'[i > 0]}{_json(name)}:" for i, name in enumerate(names)]
            end = "}\n"
        columns = map(self._tokens, names, rows.columns)
        pairs = [part for pair in zip(leads, columns, strict=True) for part in pair]
        lines = pc.binary_join_element_wise(*pairs, end, "")
        _, ends, text = lines.buffers()  # the lines lie one behind the other already
        self.out.write(memoryview(text)[: np.frombuffer(ends, np.int32)[len(lines)]])

    def _tokens(self, name: str, column: Any) -> Any:
        """The column as it is written."""
        if pa.types.is_floating(column.type):
            return column.cast(pa.string()).fill_null(self.null)
        if pa.types.is_timestamp(column.type):
            texts = pc.replace_substring(column.cast(pa.string()), " ", "T")
            mark = "" if self.form == "csv" else '"'
            return pc.binary_join_element_wise(mark, texts, mark, "").fill_null(self.null)
        words = column.dictionary_encode()
        codes = words.indices.fill_null(len(words.dictionary))
        known = words.dictionary.to_pylist()
        self._count(known, codes.to_numpy())
        show = self._cell(name) if self.form == "csv" else _json
        return pa.array([*map(show, known), self.null], pa.string()).take(codes)

    def _count(self, known: list[str], codes: Any) -> None:
        risky = [code for code, word in enumerate(known) if formula.runs(word)]
        self.done.formulas += int(np.isin(codes, risky).sum()) if risky else 0

    def _header(self, name: str) -> str:
        # quoted unless plain: whoever detects formats by the first bytes sees a CSV file
        shown = self._cell("the header")(name)
        return shown if _PLAIN(name) or shown.startswith('"') else f'"{shown}"'

    def _cell(self, column: str) -> Callable[[str], str]:
        def cell(text: str) -> str:
            if "\0" in text:
                raise BadRequest(
                    f"{column!r} has a text with a NUL character, which CSV cannot hold; "
                    "export to .jsonl or .parquet"
                )
            if self.defuse:
                text = formula.defused(text)
            return '"' + text.replace('"', '""') + '"' if _QUOTED(text) else text

        return cell


def _write_parquet(batches: Iterator[Any], found: Dataset, out: BinaryIO) -> Exported:
    done = Exported()
    writer: Any = None
    for batch in batches:
        if writer is None:
            texts = [name for name, kind in found.columns.items() if kind == "text"]
            writer = pq.ParquetWriter(
                out, batch.schema, compression="zstd", use_dictionary=texts, store_schema=False
            )
        writer.write_batch(batch, row_group_size=parquet.GROUP)
        done.rows += len(batch)
    if writer is not None:
        writer.close()
    return done


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
