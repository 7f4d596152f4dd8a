"""``python ingest_data.py ROWS BAD FOLDER``: a CSV file of 15 columns, written piece by piece.

A key, a time, eight numbers of three decimals, an hour, three categories (of 6, 3 and 100) and a
target; ``BAD`` is the share of rows with one fault: not a number, beyond the range, missing, no
time, a field too many, a key that was there before.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np

NUMBERS = [f"x{i}" for i in range(8)]
HEADER = ["id", "at", *NUMBERS, "hour", "carrier", "origin", "dest", "late"]
CARRIERS = ["AA", "UA", "DL", "B6", "WN", "EV"]
ORIGINS = ["JFK", "LGA", "EWR"]
DESTINATIONS = [f"D{i:03d}" for i in range(100)]
PIECE = 100_000


def write(path: Path, rows: int, bad: float) -> None:
    rng, luck = np.random.default_rng(7), random.Random(7)
    with path.open("w") as file:
        file.write(",".join(HEADER) + "\n")
        for start in range(0, rows, PIECE):
            count = min(PIECE, rows - start)
            seconds = np.sort(rng.integers(0, 30_000, count)) + start
            times = np.datetime64("2013-01-01T00:00:00") + seconds.astype("timedelta64[s]")
            columns = [
                [f"k{i:08d}" for i in range(start, start + count)],
                [f"{t}Z" for t in np.datetime_as_string(times, unit="s")],
                *(np.round(rng.normal(50, 20, count), 3).tolist() for _ in NUMBERS),
                rng.integers(0, 24, count).tolist(),
                *(rng.choice(words, count).tolist() for words in (CARRIERS, ORIGINS, DESTINATIONS)),
                rng.integers(0, 2, count).tolist(),
            ]
            for row in zip(*columns, strict=True):
                fields = list(map(str, row))
                if bad and luck.random() < bad:
                    spoil(fields, luck)
                file.write(",".join(fields) + "\n")


def spoil(fields: list[str], luck: random.Random) -> None:
    fault = luck.choice(["number", "range", "missing", "time", "width", "key"])
    if fault == "number":
        fields[luck.randint(2, 9)] = "n/k"
    elif fault == "range":
        fields[10] = "99"
    elif fault == "missing":
        fields[luck.randint(2, 13)] = ""
    elif fault == "time":
        fields[1] = "yesterday"
    elif fault == "width":
        fields.append("?")
    else:
        fields[0] = "k00000000"


if __name__ == "__main__":
    total, share, folder = int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])
    write(folder / f"{total}-{share:g}.csv", total, share)
