"""Names made from what they name: prediction ids, run ids, digests. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import blake2b, sha256
from typing import Any

_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def digest(*parts: str) -> str:
    """SHA-256 (hex) of the parts; which text is in which part counts."""
    return sha256(json.dumps(parts).encode()).hexdigest()


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: same value, same text. Raises ValueError for NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def event_digest(model: str, identity: str) -> str:
    """12 hex digits that name one event of one model, however often it is delivered."""
    return sha256(f"{model}|{identity}".encode("utf-8", "surrogatepass")).hexdigest()[:12]


def run_id(cause: str, event: str, attempt: int = 1) -> str:
    """``drift-<event digest>-1``: at most 80 characters, so that it can name an execution."""
    return f"{cause}-{event}-{attempt}"


def prediction_ids(request: str, ms: int, count: int) -> list[str]:
    """``count`` UUIDv7 (RFC 9562, section 5.7) of the millisecond ``ms``.

    The random bits are a hash of the request id and the row's position, so that a request served
    again gives the same ids; ``rand_a`` is the position's low 12 bits, so that ids sort as
    the rows of a request of up to 4,096.
    """
    return ids_at(request, ms, range(count))


def ids_at(request: str, ms: int, positions: Iterable[int]) -> list[str]:
    """The prediction ids of the rows at some ``positions``, soonest found if these ascend."""
    time = f"{ms & 0xFFFFFFFFFFFF:012x}"
    head = f"{time[:8]}-{time[8:]}-7"
    seed = blake2b(request.encode("utf-8", "surrogatepass"))
    ids, block, bits = [], -1, ""
    for i in positions:
        if i >> 3 != block:  # one hash has 64 bits for each of eight rows
            block = i >> 3
            hashed = seed.copy()
            hashed.update(block.to_bytes(4, "big"))
            bits = hashed.hexdigest()
        at = (i & 7) * 16
        variant = _VARIANT[bits[at]]
        rest = bits[at + 1 : at + 16]
        ids.append(f"{head}{i & 0xFFF:03x}-{variant}{rest[:3]}-{rest[3:]}")
    return ids


def id_ms(uuid7: str) -> int:
    """The millisecond a prediction id was made in."""
    return int(uuid7[:8] + uuid7[9:13], 16)


def sampled(uuid7: str, share: float) -> bool:
    """Whether the id falls into a sample of ``share``; the same answer everywhere and always."""
    return share >= 1 or int(uuid7[-8:], 16) < share * 0x100000000
