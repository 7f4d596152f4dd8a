"""Predictions as a file of the input's own format: the endpoint's documents, one a row.

CSV and Parquet hold a column for each value of a document; of what is nested, the inner name is
joined on. A whole file is the chunks' files one behind the other; in Parquet, their rows in row
groups of one size.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from driftloop.blobs import joined
from driftloop.payload.table import flat
from driftloop.plan import Scorer
from driftloop.scoring import predictions

Form = Literal["csv", "jsonl", "parquet"]
Document = dict[str, Any]
GROUP = 64 * 1024  # rows
_TYPES = {"text": pa.string(), "number": pa.float64(), "whole": pa.int64()}
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def columns(scorer: Scorer, key: str | None) -> dict[str, str]:
    """Names and kinds (text, number, whole) of the columns, ``key`` being the user's own."""
    (sample,) = predictions(scorer, [""], [[0.0] * scorer.outputs if scorer.outputs > 1 else 0.0])
    found = {"line": "whole", "id": "text"}
    if key:
        found[_named(key)] = "text"
    for name, value in flat(sample):
        found[name] = "text" if isinstance(value, str) else "number"
    return found | {"version": "whole"}


class Part:
    """A chunk's predictions, written into ``path``. ``kinds``: the columns; ``key``: the user's own
    (None: there is none); ``version``: which one they are of."""

    def __init__(
        self, path: Path, form: Form, kinds: dict[str, str], key: str | None, version: int
    ) -> None:
        self._form, self._kinds, self._version = form, kinds, version
        self._key = _named(key) if key else None
        self._file = path.open("wb")
        self._parquet = _parquet(self._file, kinds) if form == "parquet" else None

    def add(self, lines: list[int], keys: list[Any], answers: list[Document]) -> None:
        """Predictions, with the lines their rows stand on, and the user's keys of them."""
        if self._form == "jsonl":
            self._file.writelines(
                self._line(*row) for row in zip(lines, keys, answers, strict=True)
            )
            return
        if not lines:
            return
        ids, cells = [answer["id"] for answer in answers], zip(*map(_cells, answers), strict=True)
        columns: list[Sequence[Any]] = [lines, ids, *([keys] if self._key else []), *cells]
        columns.append([self._version] * len(lines))
        if self._parquet:
            self._parquet.write_table(_table(columns, self._kinds))
        else:
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(zip(*columns, strict=True))
            self._file.write(text.getvalue().encode())

    def _line(self, line: int, key: Any, answer: Document) -> bytes:
        named = {self._key: key} if self._key else {}
        whole = {"line": line, "id": answer["id"], **named, **answer, "version": self._version}
        return f"{_encode(whole)}\n".encode()

    def close(self) -> None:
        if self._parquet:
            self._parquet.close()
        self._file.close()

    def __enter__(self) -> Part:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _cells(answer: Document) -> list[Any]:
    """All but the id, what is nested laid flat."""
    _, *values = answer.values()
    if dict not in map(type, values):
        return values
    return [value for name, value in flat(answer) if name != "id"]


def whole(form: Form, kinds: dict[str, str], parts: Iterable[BinaryIO], folder: Path) -> BinaryIO:
    """All parts as one file, to be read once. ``folder``: for a file meanwhile."""
    if form == "parquet":
        return _regrouped(kinds, parts, folder / "whole.parquet")
    if form == "jsonl":
        return joined(parts)
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(kinds)
    return joined(_behind(header.getvalue().encode(), parts))


def _behind(head: bytes, parts: Iterable[BinaryIO]) -> Iterator[BinaryIO]:
    yield io.BytesIO(head)
    yield from parts


def _regrouped(kinds: dict[str, str], parts: Iterable[BinaryIO], path: Path) -> BinaryIO:
    held: list[Any] = []
    with path.open("wb") as file, _parquet(file, kinds) as out:
        for part in parts:
            with part:
                for batch in pq.ParquetFile(part).iter_batches(GROUP, use_threads=False):
                    held.append(batch)
                    while sum(map(len, held)) >= GROUP:
                        table = pa.Table.from_batches(held)
                        out.write_table(table.slice(0, GROUP).combine_chunks())
                        held = table.slice(GROUP).to_batches()
        if held:
            out.write_table(pa.Table.from_batches(held).combine_chunks())
    return path.open("rb")


def _parquet(file: Any, kinds: dict[str, str]) -> Any:
    schema = pa.schema([(name, _TYPES[kind]) for name, kind in kinds.items()])
    return pq.ParquetWriter(file, schema, compression="zstd", store_schema=False)


def _table(columns: list[Sequence[Any]], kinds: dict[str, str]) -> Any:
    return pa.table(
        {
            name: pa.array(map(_text, column) if kind == "text" else column, _TYPES[kind])
            for (name, kind), column in zip(kinds.items(), columns, strict=True)
        }
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _named(key: str) -> str:
    """The column of the user's key: its own name, unless a document has one like it."""
    taken = ("line", "id", "value", "version", "probability", "interval")
    return "key" if key in taken or key.startswith(("probability_", "interval_")) else key
