"""A function's file system: its code, its layers merged as in ``/opt``, and the runtime's own.

https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html
https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html

On AWS the layers' wheels fit the function's runtime and architecture. Where this interpreter is
another one, wheels that a layer carries (they have a ``.dist-info``) are left out, and the same
distributions of this environment are linked in their place; all else is taken from the layer.
"""

import io
import platform
import re
import sys
import threading
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

_MACHINES = {"x86_64": ("x86_64", "AMD64"), "arm64": ("aarch64", "arm64")}
_DIST = re.compile(r"^python/([^/]+?)-[^/-]+\.dist-info/")
_lock = threading.Lock()

# What Lambda's Python has without any layer.
RUNTIME = (
    *("awslambdaric", "snapshot-restore-py", "simplejson", "boto3", "botocore", "s3transfer"),
    *("jmespath", "python-dateutil", "six", "urllib3"),
)


class MissingDistribution(Exception):
    """A layer carries a distribution for another Python, and this environment has not got it."""


def fits_here(runtime: str, architecture: str) -> bool:
    """Whether compiled wheels for the function can be imported by this interpreter."""
    here = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return runtime == here and platform.machine() in _MACHINES.get(architecture, ())


def unpack(home: Path, data: bytes) -> Path:
    """The zip's files in a folder of their own, named by content; unpacked once."""
    return _once(home / "code", [sha256(data).hexdigest()], [data], keep_wheels=True)


def merge(home: Path, layers: Sequence[bytes], runtime: str, architecture: str) -> Path:
    """All layers in one folder, later ones over earlier ones, as Lambda merges them.

    Raises MissingDistribution.
    """
    keep = fits_here(runtime, architecture)
    digests = [sha256(data).hexdigest() for data in layers]
    return _once(home / "opt", [*digests, str(keep)], layers, keep_wheels=keep)


def runtime(home: Path) -> Path:
    """A folder with what Lambda's Python brings: AWS's SDK and the runtime client."""
    folder = home / "runtime"
    with _lock:
        if not folder.exists():
            scratch = home / "runtime.new"
            scratch.mkdir(parents=True, exist_ok=True)
            _link(scratch, RUNTIME)
            scratch.rename(folder)
    return folder


def search_path(opt: Path) -> list[Path]:
    """Where Python looks in ``/opt``, in Lambda's order."""
    versioned = opt / "python" / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return [versioned / "site-packages", opt / "python"]


def _once(home: Path, key: list[str], archives: Sequence[bytes], *, keep_wheels: bool) -> Path:
    folder = home / sha256(repr(key).encode()).hexdigest()[:24]
    with _lock:
        if folder.exists():
            return folder
        scratch = folder.with_suffix(".new")
        scratch.mkdir(parents=True, exist_ok=True)
        for data in archives:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                wheels = {} if keep_wheels else dict(_wheels(archive))
                left_out = {entry for entries in wheels.values() for entry in entries}
                archive.extractall(
                    scratch, [n for n in archive.namelist() if _top(n) not in left_out]
                )
                _link(scratch / "python", wheels)
        scratch.rename(folder)
        return folder


def _link(folder: Path, distributions: Iterable[str]) -> None:
    """Links to this environment's own copies."""
    folder.mkdir(exist_ok=True)
    for name in distributions:
        try:
            found = distribution(name)
        except PackageNotFoundError as error:
            raise MissingDistribution(
                f"A layer carries {name}, built for another Python; install {name} here."
            ) from error
        for entry in _entries(found):
            link = folder / entry
            if not link.exists():
                link.symlink_to(Path(str(found.locate_file(entry))).resolve())


def _entries(found: Distribution) -> list[str]:
    """The top-level files and folders of an installed distribution."""
    tops = {file.parts[0] for file in found.files or [] if file.parts[0] != ".."}
    return sorted(tops - {"__pycache__"})


def _top(name: str) -> str:
    return "/".join(name.split("/")[:2])


def _wheels(archive: zipfile.ZipFile) -> Iterator[tuple[str, set[str]]]:
    """Installed distributions by name, with the ``python/<entry>`` that belong to each."""
    for name in archive.namelist():
        found = _DIST.match(name)
        if not found or not name.endswith("/RECORD"):
            continue
        entries = {_top(name)}
        for line in archive.read(name).decode().splitlines():
            entry = line.rpartition(",")[0].rpartition(",")[0].strip('"').split("/")[0]
            if entry and entry != "..":
                entries.add(f"python/{entry}")
                if entry.endswith(".py"):  # shipped as bytecode alone, maybe
                    entries.add(f"python/{entry}c")
        yield found[1], entries
