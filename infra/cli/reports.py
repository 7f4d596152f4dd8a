"""The monitor's window reports, as they lie in the store."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from driftloop import keys
from driftloop.aws.store import Store
from infra.cli.fault import ASKED_WRONGLY, Fault

Report = dict[str, Any]
_NAME = re.compile(r"(?P<window>[^/]+)/v(?P<version>\d+)/report\.r(?P<revision>\d+)\.json$")


def keys_of(store: Store, model: str) -> list[str]:
    """The newest revision of each window and version, in order of window, then version."""
    newest: dict[tuple[str, str], tuple[int, str]] = {}
    for key in store.list(keys.monitor(model, "").rstrip("/") + "/"):
        if match := _NAME.search(key):
            place = (match["window"], match["version"])
            revision = (int(match["revision"]), key)
            newest[place] = max(newest.get(place, revision), revision)
    return [newest[place][1] for place in sorted(newest)]


def read(store: Store, model: str, last: int | None = None) -> list[Report]:
    """Reports of the last ``last`` windows (all without a number), oldest first."""
    found = keys_of(store, model)
    if last is not None:
        windows = sorted({_window(key) for key in found})[-last:]
        found = [key for key in found if _window(key) in windows]
    return [json.loads(store.get(key)) for key in found]


def at(store: Store, model: str, date: str) -> list[Report]:
    """Reports of the windows that begin with ``date`` (``2013-02-08``, ``2013-02-08 06:00``).
    Raises Fault, naming those that are there, when there is none."""
    names = keys_of(store, model)
    begins = date.replace(" ", "T").replace(":", "")
    found = [key for key in names if _window(key).startswith(begins)]
    if not found:
        first, last = (_begin(_window(names[i])) for i in (0, -1)) if names else ("", "")
        there = f"; there are {first} to {last}" if names else ""
        raise Fault(f"the monitor has judged no window that begins on {date}{there}", ASKED_WRONGLY)
    return [json.loads(store.get(key)) for key in found]


def by_window(found: Iterable[Report]) -> list[Report]:
    """One report a window, oldest first: around a release two versions served, and the one that
    served most speaks for it."""
    most: dict[str, Report] = {}
    for report in found:
        start = report["window"]["start"]
        most[start] = max(most.get(start, report), report, key=lambda r: (r["rows"], -r["version"]))
    return [most[start] for start in sorted(most)]


def name(start: str) -> str:
    """A window's folder: ``2013-02-08T00:00:00.000Z`` → ``2013-02-08T000000Z``."""
    return f"{start[:13]}{start[14:16]}{start[17:19]}Z"


def _begin(name: str) -> str:
    """``2013-02-08T000000Z`` → ``2013-02-08 00:00``."""
    return f"{name[:10]} {name[11:13]}:{name[13:15]}"


def _window(key: str) -> str:
    match = _NAME.search(key)
    return match["window"] if match else ""
