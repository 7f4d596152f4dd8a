"""Log lines of the endpoint → capture objects, by version and hour of the prediction's own id.

Delivery is at least once and re-batched at will. An object is named by the log events it came
from, so the same batch delivered again overwrites itself with the same bytes; whoever reads
captures removes doubles by id. A line that is no capture is counted and kept aside.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import json
import math
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from driftloop import keys
from driftloop.blobs import Blobs
from driftloop.captured import Record, is_prediction_id, pack
from driftloop.errors import BadRequest
from driftloop.ids import id_ms
from driftloop.spec import Spec
from driftloop.when import from_ms


def unpack(data: str) -> list[tuple[str, str]]:
    """``awslogs.data`` of a subscription event → (event id, message) pairs. Raises BadRequest."""
    try:
        batch = json.loads(gzip.decompress(base64.b64decode(data, validate=True)))
        if batch.get("messageType") != "DATA_MESSAGE":  # CloudWatch Logs probes new subscriptions
            return []
        return [(str(event["id"]), str(event["message"])) for event in batch["logEvents"]]
    except (ValueError, KeyError, TypeError, AttributeError, OSError, EOFError,
            zlib.error, binascii.Error) as error:  # fmt: skip
        raise BadRequest(f"not a batch of log events: {error}", "awslogs.data") from error


def capture(store: Blobs, spec: Spec, events: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Keep the captures of a batch. Returns ``{"captured", "malformed", "objects"}`` (counts of
    rows and of lines, and the keys written)."""
    batch = list(events)
    name = hashlib.sha256("\n".join(event for event, _ in batch).encode()).hexdigest()[:32]
    grouped: dict[str, list[Record]] = defaultdict(list)
    malformed: list[Record] = []
    for event, message in batch:
        try:
            records = list(parse(spec, message))
        except (ValueError, KeyError, TypeError) as error:
            malformed.append({"event": event, "reason": str(error)[:500], "message": message})
            continue
        for record in records:
            grouped[_place(spec.name, record, f"{name}.jsonl.gz")].append(record)
    for key, records in sorted(grouped.items()):
        store.put(key, pack(records))
    if malformed:
        store.put(keys.malformed_captures(spec.name, f"{name}.jsonl.gz"), pack(malformed))
    return {
        "captured": sum(len(records) for records in grouped.values()),
        "malformed": len(malformed),
        "objects": sorted(grouped),
    }


def parse(spec: Spec, message: str) -> Iterator[Record]:
    """The predictions of one capture line. Raises ValueError, KeyError, TypeError for a line that
    is none; then no row of it is kept."""
    line = json.loads(message, parse_constant=_no_constant)
    if line["capture"] != 1 or line["model"] != spec.name:
        raise ValueError(f"not a capture of {spec.name}")
    columns, version = line["columns"], line["version"]
    if type(version) is not int or not 0 < version < 10**6:
        raise ValueError(f"version {version!r} is no version")
    for identity, row, prediction in zip(
        line["ids"], line["rows"], line["predictions"], strict=True
    ):
        if not is_prediction_id(identity):
            raise ValueError(f"id {identity!r} is no UUIDv7")
        _finite(prediction)
        values = dict(zip(columns, row, strict=True))
        record = {
            "id": identity,
            "time": line["time"],
            "version": version,
            "role": line.get("role", "champion"),
            "request": line.get("request", ""),
            "features": {name: values.get(name) for name in spec.features},
            "prediction": prediction,
        }
        if spec.key and values.get(spec.key) is not None:
            record["key"] = values[spec.key]
        if spec.time and values.get(spec.time) is not None:
            record["at"] = values[spec.time]
        yield record


def _place(model: str, record: Record, file: str) -> str:
    made = from_ms(id_ms(record["id"]))
    return keys.captures(model, record["version"], f"{made:%Y-%m-%d}", f"{made:%H}", file)


def _finite(prediction: Any) -> None:
    values = prediction if isinstance(prediction, list) else [prediction]
    if not values or not all(type(v) in (int, float) and math.isfinite(v) for v in values):
        raise ValueError(f"prediction {prediction!r} is no number")


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")
