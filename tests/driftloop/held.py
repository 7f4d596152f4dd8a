"""Stores that hold quarantined rows, as ingest leaves them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from driftloop import keys
from driftloop.data import dataset
from driftloop.rejects.quarantine import Rejected, lines, upload_name
from driftloop.rejects.rejected import Held, holdings
from tests.driftloop.memory import Memory

NOW = "2013-02-01T00:00:00.000Z"
CSV = {"format": "csv", "header": ["id", "hour", "carrier"], "delimiter": ","}
JSON = {"format": "jsonl", "header": ["id", "hour", "carrier"]}


def buckets() -> tuple[Memory, Memory]:
    """Store and landing, which copies from it."""
    store = Memory()
    return store, Memory(others={"store": store})


def rejected(line: int, text: str, rule: str = "not_a_number", field: str = "hour",
             value: Any = "x", file: str = "") -> Rejected:  # fmt: skip
    return Rejected(line, field, rule, value, text, file)


def hold(
    store: Memory, *found: Rejected, key: str = "incoming/toy/jan.csv", accepted: int = 10,
    shape: dict[str, Any] | None = None, refused: Sequence[bytes] = (), **more: Any,
) -> Held:  # fmt: skip
    """An upload of which these rows were rejected, or all for too many: its files as they were."""
    name = upload_name("landing", key, "v1")
    original = keys.original("toy", name)
    originals = (
        [original] if len(refused) == 1 else [f"{original}/{i}" for i in range(len(refused))]
    )
    for where, data in zip(originals, refused, strict=True):
        store.put(where, data)
    if refused:
        accepted, more["error"] = 0, {"name": "TooManyRejected", "message": "too many"}
    reasons: dict[str, int] = {}
    for r in found:
        reasons[f"{r.rule}|{r.field}"] = reasons.get(f"{r.rule}|{r.field}", 0) + 1
    report = {
        "upload": {"bucket": "landing", "key": key, "version_id": "v1"},
        "now": NOW, "total": accepted + len(found) + more.get("refused_rows", 0),
        "accepted": accepted, "rejected": len(found), "reasons": reasons, "error": None,
        "refused_rows": 0, "originals": originals, "files": [],
        "shape": None if "files" in more else shape or CSV, **more,
    }  # fmt: skip
    store.put(keys.quarantine("toy", name), lines(found))
    store.put(keys.ingest_report("toy", name), dataset.dump(report))
    return again(store, name)


def again(store: Memory, upload: str) -> Held:
    """The upload as it is now."""
    return next(held for held in holdings(store, "toy") if held.upload == upload)
