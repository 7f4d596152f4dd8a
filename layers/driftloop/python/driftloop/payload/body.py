"""An HTTP request → its media type and text. Refuses what is not UTF-8, and unpacks gzip.

An HTTP API hands text over as it is and everything else as base64.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from driftloop.errors import BadRequest, RequestTooLarge, UnsupportedMedia

MAX_BYTES = 6 * 1024 * 1024  # what Lambda takes in one call; of what is packed, when unpacked
JSON, CSV = "application/json", "text/csv"
_NOTHING: Mapping[str, str] = {}


class Body(NamedTuple):
    """``kind``: :data:`JSON` or :data:`CSV`; ``options``: parameters of the content type."""

    kind: str
    text: str
    options: Mapping[str, str]


def body(event: Mapping[str, Any]) -> Body:
    """Raises UnsupportedMedia, BadRequest, RequestTooLarge."""
    headers: Mapping[str, str] = event.get("headers") or {}
    said = headers.get("content-type", JSON)
    kind, options = (JSON, _NOTHING) if said == JSON else _media(said)
    coding = headers.get("content-encoding", "identity").strip().lower()
    sent: str = event.get("body") or ""
    is_base64 = bool(event.get("isBase64Encoded"))
    if not is_base64 and coding == "identity":
        return Body(kind, _bounded(sent), options)
    data = _bytes(sent, is_base64)
    if coding == "gzip":
        data = _unpacked(data)
    elif coding != "identity":
        raise UnsupportedMedia(
            f"content-encoding {coding[:60]!r} is not understood; send gzip or nothing",
            "content-encoding",
        )
    try:
        return Body(kind, _bounded(data.decode("utf-8")), options)
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is not UTF-8 text (byte {error.start})") from None


def _media(said: str) -> tuple[str, Mapping[str, str]]:
    """``text/csv; header=present`` → the type and its parameters (RFC 9110, section 8.3.1)."""
    kind, *rest = said.split(";")
    pairs = (part.partition("=") for part in rest)
    options = {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}
    kind = kind.strip().lower()
    if kind not in (JSON, CSV):
        raise UnsupportedMedia(
            f"content-type {said[:60]!r} is not understood; send {JSON} or {CSV}", "content-type"
        )
    charset = options.get("charset", "utf-8").lower()
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMedia(
            f"charset {charset[:60]!r} is not understood; send UTF-8", "content-type"
        )
    return kind, options


def _bounded(text: str) -> str:
    size = len(text)
    if not text.isascii():
        try:
            size = len(text.encode())
        except UnicodeEncodeError as error:
            raise BadRequest(f"the body is not text (character {error.start})") from None
    if size > MAX_BYTES:
        raise RequestTooLarge(f"the body has {size:,} bytes; at most {MAX_BYTES:,} in one request")
    return text


def _bytes(sent: str, is_base64: bool) -> bytes:
    if not is_base64:
        return sent.encode("utf-8", "surrogatepass")
    if len(sent) > MAX_BYTES * 4 // 3 + 4:
        raise RequestTooLarge(f"the body is over {MAX_BYTES:,} bytes")
    try:
        return base64.b64decode(sent, validate=True)
    except ValueError:  # binascii.Error, or not even ASCII
        raise BadRequest("the body is marked base64 and is not") from None


def _unpacked(data: bytes) -> bytes:
    unpack = zlib.decompressobj(wbits=31)  # gzip's frame alone
    try:
        found = unpack.decompress(data, MAX_BYTES + 1)
    except zlib.error as error:
        raise BadRequest(f"the body is not gzip ({error})", "content-encoding") from None
    if len(found) > MAX_BYTES:
        raise RequestTooLarge(f"the body unpacks to more than {MAX_BYTES:,} bytes")
    if not unpack.eof or unpack.unused_data:
        what = "ends too early" if not unpack.eof else "goes on after its end"
        raise BadRequest(f"the body is not gzip: it {what}", "content-encoding")
    return found
