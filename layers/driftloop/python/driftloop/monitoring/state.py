"""What the monitor remembers of the windows it judged: enough to see what changed, and what the
alarms are to be told of a version's newest windows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from driftloop import keys
from driftloop.blobs import Blobs
from driftloop.data.dataset import dump
from driftloop.errors import NotFound

Entry = dict[str, Any]
"""Of a window and version. ``in``: digests of its captures and labels; ``revision`` and
``content`` of its last report; ``drift`` and ``performance``: its ratios, if they could be told;
``diagnosis``: kind, action, text and names of features, if something is wrong."""


@dataclass
class State:
    """``span``: of a window, milliseconds; ``asked``: the latest moment (epoch milliseconds) as of
    which every closed window was judged, and its rows were put under quarantine if they had to be.
    All is forgotten when the window's length changes, but for ``revisions``: how many any window
    has had, so that what is said of one that begins alike comes after them."""

    span: int
    asked: int | None = None
    revisions: int = 0
    windows: dict[int, dict[int, Entry]] = field(default_factory=dict)

    @classmethod
    def read(cls, store: Blobs, model: str, span: int) -> State:
        try:
            body = json.loads(store.get(keys.monitor_state(model)))
        except NotFound:
            return cls(span)
        windows = {
            int(start): {int(version): entry for version, entry in found.items()}
            for start, found in body["windows"].items()
        }
        if body["window"] != span:
            had = [e.get("revision", 0) for found in windows.values() for e in found.values()]
            return cls(span, revisions=max([body.get("revisions", 0), *had]))
        return cls(span, body.get("asked"), body.get("revisions", 0), windows)

    def write(self, store: Blobs, model: str) -> None:
        body = {
            "window": self.span,
            "asked": self.asked,
            "revisions": self.revisions,
            "windows": self.windows,
        }
        store.put(keys.monitor_state(model), dump(body))

    def entry(self, start: int, version: int) -> Entry:
        """A copy; empty for a window that was not judged."""
        return dict(self.windows.get(start, {}).get(version, {}))

    def note(self, start: int, version: int, entry: Entry) -> None:
        self.windows.setdefault(start, {})[version] = entry

    def forget(self, before: int) -> None:
        """Windows that start ``before``."""
        self.windows = {start: found for start, found in self.windows.items() if start >= before}

    def known(self) -> Iterator[tuple[int, int]]:
        """Start and version of each window."""
        return ((start, version) for start, found in self.windows.items() for version in found)

    def of(self, version: int, ratio: str) -> dict[int, Entry]:
        """The version's windows whose ``ratio`` (``drift`` or ``performance``) could be told, by
        their starts, oldest first."""
        return {
            start: found[version]
            for start, found in sorted(self.windows.items())
            if version in found and found[version].get(ratio) is not None
        }


def concluded(report: Mapping[str, Any]) -> Entry:
    """What is kept of a report, beside what it was made from."""
    found = report["diagnosis"]
    return {
        "drift": report["drift_ratio"],
        "performance": report["performance"]["ratio"],
        "diagnosis": found
        and {
            "kind": found["kind"],
            "action": found["action"],
            "text": found["text"],
            "features": [feature["name"] for feature in found["features"]],
        },
    }
