"""``python drift_data.py ROWS CAPTURED FOLDER``: a reference and a current data set of 20 columns
in Parquet, 14 of numbers and 6 of categories, half of them moved; and the first ``CAPTURED`` rows
of the current one as captures of the endpoint."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

CATEGORIES = {"c0": 3, "c1": 6, "c2": 12, "c3": 24, "c4": 100, "c5": 400}
NUMBERS = [f"n{i}" for i in range(14)]
PIECE = 100_000
KINDS = {**dict.fromkeys(NUMBERS, "number"), **dict.fromkeys(CATEGORIES, "text")}


def columns(rng: np.random.Generator, rows: int, moved: bool) -> dict[str, Any]:
    """Odd columns move; ``n0`` holds whole numbers that are few, ``n13`` many that are large."""
    normal = rng.standard_normal
    shift = 1.0 if moved else 0.0
    found: dict[str, Any] = {
        "n0": rng.integers(0, 24, rows).astype(float),
        "n1": np.round(50 + 20 * (normal(rows) + 0.1 * shift), 3),
        "n2": np.round(50 + 20 * normal(rows), 3),
        "n3": np.round(rng.gamma(2.0, 10.0 * (1 + 0.05 * shift), rows), 2),
        "n4": np.round(rng.gamma(2.0, 10.0, rows), 2),
        "n5": normal(rows) * (1 + 0.2 * shift),
        "n6": normal(rows),
        "n7": np.exp(normal(rows) + 0.02 * shift),
        "n8": np.exp(normal(rows)),
        "n9": rng.random(rows) ** (1 + 0.5 * shift),
        "n10": rng.random(rows),
        "n11": np.round(normal(rows) * 10 + 2 * shift),
        "n12": np.round(normal(rows) * 10),
        "n13": rng.integers(0, 10_000_000, rows).astype(float),
    }
    for i, (name, size) in enumerate(CATEGORIES.items()):
        weights = 1 / np.arange(1, size + 1) ** (1 + (0.1 * shift if i % 2 else 0.0))
        codes = rng.choice(size, rows, p=weights / weights.sum()).astype(np.int32)
        found[name] = pa.DictionaryArray.from_arrays(
            codes, [f"{name}-{k:03d}" for k in range(size)]
        )
    return found


def write(folder: Path, rows: int, captured: int) -> None:
    for name, seed, moved in (("reference", 1, False), ("current", 2, True)):
        rng = np.random.default_rng(seed)
        file = None
        for start in range(0, rows, PIECE):
            piece = columns(rng, min(PIECE, rows - start), moved)
            for text in CATEGORIES:
                piece[text] = piece[text].cast(pa.string())
            table = pa.table(piece)
            if file is None:
                file = pq.ParquetWriter(
                    folder / f"{name}.parquet", table.schema, compression="zstd",
                    use_dictionary=list(CATEGORIES), store_schema=False,
                )  # fmt: skip
            file.write_table(table)
        assert file is not None
        file.close()
    capture(folder, captured)


def capture(folder: Path, rows: int) -> None:
    """As the capture stage keeps them: packed records, an object of some thousand."""
    from driftloop.captured import pack

    file = pq.ParquetFile(folder / "current.parquet")
    done = 0
    for number, batch in enumerate(file.iter_batches(5_000)):
        held = [
            {
                "id": f"01990000-{i // 65536:04x}-7000-8000-{i % 65536:012x}",
                "time": "2026-01-01T00:00:00Z", "version": 1, "role": "champion", "request": "",
                "features": row, "prediction": 0.25,
            }
            for i, row in enumerate(batch.to_pylist()[: rows - done], done)
        ]  # fmt: skip
        (folder / f"{number:05d}.jsonl.gz").write_bytes(pack(held))
        done += len(held)
        if done >= rows:
            break


if __name__ == "__main__":
    write(Path(sys.argv[3]), int(sys.argv[1]), int(sys.argv[2]))
