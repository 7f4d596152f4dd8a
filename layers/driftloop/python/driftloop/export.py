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
import pyarrow.parquet as pq

from driftloop import formula, parquet
from driftloop.blobs import Blobs
from driftloop.dataset import Dataset, scan
from driftloop.errors import BadRequest

Format = Literal["csv", "jsonl", "parquet"]
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
        self.done = Exported()

    def write(self, batches: Iterator[Any]) -> Exported:
        for batch in batches:
            names = batch.schema.names
            columns = [self._tokens(name, batch.column(name)) for name in names]
            rows = zip(*columns, strict=True)
            if self.form == "csv":
                if not self.done.rows:
                    self._line(",".join(map(self._header, names)))
                self._line("\n".join(map(",".join, rows)))
            else:
                heads = [f"{_json(name)}:" for name in names]
                bodies = (",".join(map(str.__add__, heads, row)) for row in rows)
                self._line("\n".join(f"{{{body}}}" for body in bodies))
            self.done.rows += len(batch)
        return self.done

    def _line(self, text: str) -> None:
        self.out.write(text.encode() + b"\n")

    def _tokens(self, name: str, column: Any) -> list[str]:
        null = "" if self.form == "csv" else "null"
        kind = str(column.type)
        if kind.startswith("timestamp"):
            return _times(column, null, self.form)
        if kind == "double":
            return [null if v is None else _number(v) for v in column.to_pylist()]
        words = column.dictionary_encode()
        codes = words.indices.fill_null(len(words.dictionary)).to_numpy()
        known = words.dictionary.to_pylist()
        self._count(known, codes)
        show = self._cell(name) if self.form == "csv" else _json
        shown = [*map(show, known), null]
        return [shown[code] for code in codes.tolist()]

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


def _number(value: float) -> str:
    text = repr(value)
    return text[:-2] if text.endswith(".0") else text


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _times(column: Any, null: str, form: Format) -> list[str]:
    moments = column.to_numpy(zero_copy_only=False).astype("datetime64[ms]")
    mark = "" if form == "csv" else '"'
    texts = np.datetime_as_string(moments, unit="ms").tolist()
    return [null if text == "NaT" else f"{mark}{text}Z{mark}" for text in texts]
