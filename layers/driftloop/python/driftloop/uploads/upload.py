"""Uploads: one object of the landing bucket, or many that are one.

=============================================  ====================================================
``incoming/<model>/file.csv``                  is an upload by itself
``incoming/<model>/<folder>/…/_SUCCESS``       makes all files of its folder (and below) one upload
``incoming/<model>/…/name.manifest[.json]``    makes the files it names one upload
any other file in a folder                     waits for one of these two
=============================================  ====================================================

A manifest is of Redshift's form: ``{"entries": [{"url": "s3://bucket/key", "mandatory": true}]}``.
Names that begin with ``_`` or ``.`` are no data, as Hadoop, Spark and Athena have it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from posixpath import commonprefix
from typing import Any, Literal

from driftloop import keys
from driftloop.blobs import Blobs
from driftloop.errors import UnreadableFile
from driftloop.rejects.quarantine import upload_name

MARKER = "_SUCCESS"
MANIFEST = (".manifest", ".manifest.json")
MOST_FILES = 2_000  # each becomes a part of its own
_LARGEST = 16 * 1024 * 1024  # bytes of a manifest

Role = Literal["file", "marker", "manifest", "waiting", "stray"]


@dataclass(frozen=True)
class Upload:
    """The object whose event is the upload, pinned by its version."""

    bucket: str
    key: str
    version_id: str | None = None
    size: int = 0

    @property
    def name(self) -> str:
        """One name per pinned object: 16 hex digits."""
        return upload_name(self.bucket, self.key, self.version_id)


@dataclass(frozen=True)
class File:
    """One of an upload's files, pinned."""

    key: str
    version_id: str | None
    size: int


def role(model: str, key: str) -> Role:
    """What an object under ``incoming/<model>/`` is; ``stray`` is a marker outside any folder."""
    folder, _, name = key.removeprefix(keys.incoming(model)).rpartition("/")
    if name == MARKER:
        return "marker" if folder else "stray"
    if name.endswith(MANIFEST):
        return "manifest"
    return "waiting" if folder else "file"


def files(landing: Blobs, model: str, upload: Upload) -> list[File]:
    """The files of an upload at their newest versions, in the order of keys (of the manifest).

    Raises UnreadableFile for a folder without data, or a manifest that is none or names what is
    not there (``mandatory``) or not this model's; NotFound when the manifest itself is gone.
    """
    what = role(model, upload.key)
    if what == "marker":
        folder = upload.key.removesuffix(MARKER)
        found = [v for v in landing.versions(folder) if v.size and _is_data(v.key, folder)]
        if not found:
            raise UnreadableFile(f"the folder {folder} has a {MARKER} and no file with data")
        chosen = [File(v.key, v.version_id, v.size) for v in found]
    elif what == "manifest":
        chosen = _listed(landing, model, upload)
    else:
        return [File(upload.key, upload.version_id, upload.size)]
    if len(chosen) > MOST_FILES:
        raise UnreadableFile(f"{len(chosen):,} files are no one upload ({MOST_FILES:,} at most)")
    return chosen


def _is_data(key: str, folder: str) -> bool:
    """Neither hidden, nor in a hidden folder, nor a list of others."""
    parts = key.removeprefix(folder).split("/")
    hidden = any(part.startswith(("_", ".")) for part in parts)
    return not hidden and bool(parts[-1]) and not key.endswith(MANIFEST)


def _listed(landing: Blobs, model: str, upload: Upload) -> list[File]:
    if upload.size > _LARGEST:
        raise UnreadableFile(f"the manifest is larger than {_LARGEST >> 20} MiB")
    wanted: dict[str, tuple[str, bool, int | None]] = {}
    for number, entry in enumerate(_entries(landing.get(upload.key, upload.version_id))):
        named = _entry(entry, f"entries[{number}]")
        key = named[0].removeprefix(f"s3://{upload.bucket}/")
        if not key.startswith(keys.incoming(model)) or key in (upload.key, named[0]):
            own = f"s3://{upload.bucket}/{keys.incoming(model)}"
            raise UnreadableFile(f"the manifest names {named[0]}, which does not lie under {own}")
        wanted[key] = named
    there = {v.key: v for v in landing.versions(commonprefix(list(wanted))) if v.key in wanted}
    for key, (url, mandatory, size) in wanted.items():
        found = there.get(key)
        if found is None and mandatory:
            raise UnreadableFile(f"the manifest names {url}, which is not there")
        if found and size is not None and found.size != size:
            said = f"the manifest says {url} has {size:,} bytes"
            raise UnreadableFile(f"{said}; it has {found.size:,}")
    if not there:
        raise UnreadableFile("the manifest names no file that is there")
    chosen = [there[key] for key in wanted if key in there]
    return [File(found.key, found.version_id, found.size) for found in chosen]


def _entries(data: bytes) -> Sequence[Any]:
    wanted = 'a manifest is JSON: {"entries": [{"url": "s3://bucket/key", "mandatory": true}, …]}'
    try:
        entries = json.loads(data)["entries"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise UnreadableFile(f"the manifest cannot be read; {wanted}") from None
    if not isinstance(entries, list):
        raise UnreadableFile(f"the manifest's entries are no list; {wanted}")
    return entries


def _entry(entry: Any, where: str) -> tuple[str, bool, int | None]:
    """Address, whether it must be there, and its size in bytes if that is said."""
    if isinstance(entry, dict) and _is_address(entry.get("url")):
        meta = entry.get("meta")
        size = meta.get("content_length") if isinstance(meta, dict) else None
        if isinstance(entry.get("mandatory", False), bool) and isinstance(size, int | None):
            return entry["url"], entry.get("mandatory", False), size
    raise UnreadableFile(f'{where} of the manifest should be {{"url": "s3://…", "mandatory": …}}')


def _is_address(url: object) -> bool:
    """A text; JSON may hold half a character, which no key has."""
    return isinstance(url, str) and url.encode("utf-8", "replace").decode() == url
