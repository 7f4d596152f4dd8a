"""Rows of a file for the endpoint: CSV by the model's own types, JSON as it is."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driftloop.checking.contract import as_text
from infra.cli.fault import ASKED_WRONGLY, Fault, nearest

Instance = dict[str, Any]
MISSING = {"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"}


@dataclass(frozen=True)
class Loaded:
    """``ignored``: columns that are not sent, because the model does not know them."""

    instances: list[Instance]
    ignored: list[str]


def content(file: str) -> bytes:
    """The bytes of a file, or of stdin for ``-``; gzip is opened. Raises Fault."""
    if file == "-":
        data = sys.stdin.buffer.read()
    else:
        path = existing(file)
        data = path.read_bytes()
    try:
        return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (OSError, EOFError) as error:
        raise Fault(f"{file}: is no whole gzip file ({error})", ASKED_WRONGLY) from None


def existing(file: str) -> Path:
    """The path of a file that is there. Raises Fault."""
    path = Path(file).expanduser()
    if not path.exists():
        near = nearest(path.name, (p.name for p in path.parent.glob("*"))) if (
            path.parent.is_dir()) else ""  # fmt: skip
        near = near if near.startswith("; did") else ""
        raise Fault(f"{file}: there is no such file{near}", ASKED_WRONGLY)
    if path.is_dir():
        raise Fault(f"{file}: is a folder; name its files", ASKED_WRONGLY)
    return path


def writable(file: str) -> Path:
    """The path of a file that can be written. Raises Fault."""
    path = Path(file).expanduser()
    if path.is_dir():
        raise Fault(f"{file}: is a folder; name a file in it", ASKED_WRONGLY)
    if not path.parent.is_dir():
        raise Fault(f"{file}: there is no folder {str(path.parent)!r}", ASKED_WRONGLY)
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise Fault(f"{file}: may not be written", ASKED_WRONGLY)
    return path


def load(data: bytes, kinds: Mapping[str, str], source: str, besides: Sequence[str] = ()) -> Loaded:
    """Instances of CSV or JSON text. ``kinds``: ``number`` or ``category`` by feature; ``besides``:
    columns of text that go with them, the row's key and time.

    JSON may be ``{"instances": […]}``, a list of objects or one object, sent as they are; of JSON
    Lines and CSV, which may be training data, only the columns named. A CSV cell of a number
    that is none is sent as it is: the endpoint says what is wrong with it, and where.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Fault(f"{source}: is not UTF-8 text (byte {error.start})", ASKED_WRONGLY) from None
    if not text.strip():
        raise Fault(f"{source}: holds no rows", ASKED_WRONGLY)
    taken = dict.fromkeys(besides, "category") | dict(kinds)
    if text.lstrip()[:1] in ("{", "["):
        return _json(text, taken, source)
    return _csv(text, taken, kinds, source)


def _json(text: str, kinds: Mapping[str, str], source: str) -> Loaded:
    try:
        found = json.loads(text)
    except ValueError as error:
        try:
            objects = [json.loads(line) for line in text.split("\n") if line.strip()]
            names = list(dict.fromkeys(name for row in objects for name in dict(row)))
        except (ValueError, TypeError):
            raise Fault(f"{source}: is not JSON: {error}", ASKED_WRONGLY) from None
        kept = [{n: _value(row[n], kinds[n]) for n in row if n in kinds} for row in objects]
        return Loaded(kept, [name for name in names if name not in kinds])
    if isinstance(found, dict):
        found = found.get("instances", [found])
    if not isinstance(found, list):
        raise Fault(f"{source}: should be a list of objects", ASKED_WRONGLY)
    return Loaded(found, [])


def _value(value: Any, kind: str) -> Any:
    """A code or a truth is a category by its text, as training had it."""
    return as_text(value) if kind == "category" and isinstance(value, bool | int) else value


def _csv(text: str, kinds: Mapping[str, str], features: Mapping[str, str], source: str) -> Loaded:
    readers = [csv.DictReader(io.StringIO(text, newline=""), delimiter=sign) for sign in ",;\t|"]
    reader = max(readers, key=lambda r: len({*kinds} & {*(r.fieldnames or [])}))
    names: Sequence[str] = reader.fieldnames or []
    if not {*features} & {*names}:
        raise Fault(
            f"{source}: none of its columns is a feature of the model ({', '.join(features)})",
            ASKED_WRONGLY,
        )
    known = [name for name in names if name in kinds]
    instances = [{name: _cell(row[name], kinds[name]) for name in known} for row in reader]
    return Loaded(instances, [name for name in names if name not in kinds])


def _cell(text: str | None, kind: str) -> Any:
    if text is None or text.strip() in MISSING:
        return None
    if kind == "number":
        try:
            return float(text) if not text.strip().lstrip("-").isdigit() else int(text)
        except ValueError:
            return text
    return text
