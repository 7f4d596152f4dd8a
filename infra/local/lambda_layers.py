"""A function's file system: its code, and its layers merged under one folder as in ``/opt``.

https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html

On AWS the layers' wheels fit the function's runtime and architecture. Where this interpreter is
another one, wheels that a layer carries (they have a ``.dist-info``) are left out and the same
distributions of this environment are found instead; all else is taken from the layer.
"""

import io
import platform
import re
import sys
import threading
import zipfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

_MACHINES = {"x86_64": ("x86_64", "AMD64"), "arm64": ("aarch64", "arm64")}
_DIST = re.compile(r"^python/[^/]+\.dist-info/")
_lock = threading.Lock()


def fits_here(runtime: str, architecture: str) -> bool:
    """Whether compiled wheels for the function can be imported by this interpreter."""
    here = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return runtime == here and platform.machine() in _MACHINES.get(architecture, ())


def unpack(home: Path, data: bytes) -> Path:
    """The zip's files in a folder of their own, named by content; unpacked once."""
    return _once(home / "code" / sha256(data).hexdigest()[:24], [data], keep_wheels=True)


def merge(home: Path, layers: Sequence[bytes], runtime: str, architecture: str) -> Path:
    """All layers in one folder, later ones over earlier ones, as Lambda merges them."""
    keep = fits_here(runtime, architecture)
    digest = sha256(repr([sha256(data).hexdigest() for data in layers] + [keep]).encode())
    return _once(home / "opt" / digest.hexdigest()[:24], layers, keep_wheels=keep)


def _once(folder: Path, archives: Sequence[bytes], *, keep_wheels: bool) -> Path:
    with _lock:
        if folder.exists():
            return folder
        scratch = folder.with_suffix(".new")
        scratch.mkdir(parents=True, exist_ok=True)
        for data in archives:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                names = archive.namelist()
                if not keep_wheels:
                    wheels = _wheel_entries(archive)
                    names = [name for name in names if _top(name) not in wheels]
                archive.extractall(scratch, names)
        scratch.rename(folder)
        return folder


def _top(name: str) -> str:
    return "/".join(name.split("/")[:2])


def _wheel_entries(archive: zipfile.ZipFile) -> set[str]:
    """The ``python/<entry>`` that belong to installed distributions, by their RECORD files."""
    found: set[str] = set()
    for name in archive.namelist():
        if not _DIST.match(name):
            continue
        found.add(_top(name))
        if name.endswith("/RECORD"):
            for line in archive.read(name).decode().splitlines():
                entry = line.rpartition(",")[0].rpartition(",")[0].strip('"').split("/")[0]
                if entry and entry != "..":
                    found.add(f"python/{entry}")
                    if entry.endswith(".py"):  # shipped as bytecode alone, maybe
                        found.add(f"python/{entry}c")
    return found
