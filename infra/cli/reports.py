"""The monitor's window reports, as they lie in the store."""

from __future__ import annotations

import json
import re
from typing import Any

from driftloop import keys
from driftloop.aws.store import Store

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


def _window(key: str) -> str:
    match = _NAME.search(key)
    return match["window"] if match else ""
