"""Zips for Lambda without Docker: wheels for the function's platform, stripped, compiled, cached.

A zip is named by what determines it (requirements or sources, platform, rules, compiler), so the
second synth finds it ready, and the name can be its asset hash. No path or host of this machine
gets in: entries carry a fixed time and mode, bytecode says ``/opt/python`` or ``/var/task``.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parents[1]
PYTHON = (3, 13)
RULES = "3"  # raise it when stripping or zipping changes, so that old zips are not taken for new
Bytecode = Literal["none", "beside", "replace"]  # of the sources
_EPOCH = (1980, 1, 1, 0, 0, 0)
_PLATFORMS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_24", "manylinux_2_17")
_MACHINE = {"x86_64": "x86_64", "arm64": "aarch64"}
_DEAD_FOLDERS = {"tests", "include", "__pycache__", "bin"}
_DEAD_SUFFIXES = {".pyi", ".pyx", ".pxd", ".pxi", ".h", ".hpp", ".c", ".cpp", ".a", ".pyc"}
_DEAD_FILES = {"direct_url.json", "INSTALLER", "REQUESTED"}  # say where and by what, not what
# Of pyarrow: servers, other clouds' file systems, other formats, and copies of linked libraries.
_DEAD_LIBRARIES = (
    "libarrow_flight.*", "libarrow_s3.*", "libarrow_python_*", "libarrow_python.so",
    "libarrow_python.so.*.*", "_flight.*", "_s3fs.*", "_gcsfs.*", "_azurefs.*", "_hdfs.*",
    "_orc.*", "_substrait.*", "_feather.*", "*_encryption.*",
)  # fmt: skip


@dataclass(frozen=True)
class Bundle:
    """A zip and the hash of what it was made from."""

    path: Path
    digest: str


class BundlingError(Exception):
    """A layer could not be made; says which and what pip answered."""


def cache_dir() -> Path:
    """Where zips are kept; ``DRIFTLOOP_CACHE`` moves it."""
    return Path(os.environ.get("DRIFTLOOP_CACHE", ROOT / ".driftloop" / "cache")) / "layers"


@cache
def compiler() -> str | None:
    """A Python of the functions' own version, to compile bytecode with, if one is at hand."""
    name = f"python{PYTHON[0]}.{PYTHON[1]}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [shutil.which(name), *map(str, sorted(pyenv.glob(f"{name[6:]}*/bin/python")))]
    for python in [sys.executable if sys.version_info[:2] == PYTHON else None, *found]:
        if python and _is_right(python):
            return python
    return None


def _is_right(python: str) -> bool:
    code = f"import sys; sys.exit(sys.version_info[:2] != {PYTHON!r})"
    return subprocess.run([python, "-c", code], capture_output=True, check=False).returncode == 0


def wheels(name: str, requirements: Path, architecture: str) -> Bundle:
    """The wheels of ``requirements`` under ``python/``. Raises BundlingError."""

    def fill(tree: Path) -> None:
        _install(name, requirements, architecture, tree / "python")
        _strip(tree)

    pins = "\n".join(
        line.strip()
        for line in requirements.read_text().splitlines()
        if line.strip() and not line.startswith("#")
    )
    return _bundle(f"{name}-{architecture}", f"{architecture}\n{pins}", fill, "/opt", "replace")


def sources(name: str, folder: Path, home: str) -> Bundle:
    """A folder of Python sources, as it will lie under ``home`` (``/opt`` or ``/var/task``)."""

    def fill(tree: Path) -> None:
        for file in source_files(folder):
            target = tree / file.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)

    return _bundle(name, source_digest(folder), fill, home, "beside")


def content(name: str, files: dict[str, bytes]) -> Bundle:
    """Files given as bytes."""

    def fill(tree: Path) -> None:
        for path, data in files.items():
            (tree / path).write_bytes(data)

    digest = hashlib.sha256()
    for path, data in sorted(files.items()):
        digest.update(f"{path}\0{len(data)}\0".encode() + data)
    return _bundle(name, digest.hexdigest(), fill, "/opt", "none")


def source_files(folder: Path) -> list[Path]:
    """What of a source folder is shipped: everything but bytecode, in a stable order."""
    return sorted(
        file
        for file in folder.rglob("*")
        if file.is_file() and file.suffix != ".pyc" and file.parent.name != "__pycache__"
    )


def source_digest(*folders: Path) -> str:
    """SHA-256 over names and bytes of the sources in ``folders``."""
    digest = hashlib.sha256()
    for folder in folders:
        for file in source_files(folder):
            data = file.read_bytes()
            name = file.relative_to(folder.parent).as_posix()
            digest.update(f"{name}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def _bundle(
    name: str, inputs: str, fill: Callable[[Path], None], home: str, bytecode: Bytecode
) -> Bundle:
    """Make the zip unless it is there. ``home``: where Lambda unpacks it."""
    python = compiler() if bytecode != "none" else None
    recipe = f"{RULES}\n{PYTHON}\n{bytecode if python else 'none'}\n{home}\n{inputs}"
    digest = hashlib.sha256(recipe.encode()).hexdigest()
    folder = cache_dir()
    path = folder / f"{name}-{digest[:16]}.zip"
    if path.exists():
        return Bundle(path, digest)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{path.stem}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            print(f"bundling {name} …", file=sys.stderr)
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                tree = Path(scratch) / "tree"
                tree.mkdir()
                fill(tree)
                if python:
                    _compile(python, tree, home, bytecode)
                _zip(tree, Path(scratch) / "zip")
                (Path(scratch) / "zip").replace(path)
    (folder / f"{path.stem}.lock").unlink(missing_ok=True)
    return Bundle(path, digest)


def _install(name: str, requirements: Path, architecture: str, target: Path) -> None:
    """pip, with the user's own index settings, for Lambda's platform rather than this one."""
    machine = _MACHINE[architecture]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile",
               "--disable-pip-version-check", "--root-user-action=ignore",
               "--only-binary=:all:", "--implementation", "cp",
               "--python-version", f"{PYTHON[0]}.{PYTHON[1]}",
               "--abi", f"cp{PYTHON[0]}{PYTHON[1]}", "--abi", "abi3", "--abi", "none",
               *(f"--platform={tag}_{machine}" for tag in _PLATFORMS),
               f"--platform=manylinux2014_{machine}",
               "--requirement", str(requirements), "--target", str(target)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BundlingError(
            f"layer {name} ({architecture}) could not be bundled; pip says:\n{done.stderr.strip()}"
        )


def _strip(tree: Path) -> None:
    """Drop what no function imports. Never ``*.libs``: shared libraries live there."""
    for path in sorted(tree.rglob("*"), reverse=True):
        if path.is_dir():
            if path.name in _DEAD_FOLDERS or path.name.endswith("-stubs"):
                shutil.rmtree(path)
        elif (
            path.suffix in _DEAD_SUFFIXES
            or path.name in _DEAD_FILES
            or (path.parent.name == "pyarrow" and any(map(path.match, _DEAD_LIBRARIES)))
        ):
            path.unlink()


def _compile(python: str, tree: Path, home: str, bytecode: Bytecode) -> None:
    """Unchecked bytecode: Lambda's file system is read-only and its file times are not ours.

    The sources of wheels then go: with both, the science layer for arm64 is over Lambda's limit.
    """
    replace = bytecode == "replace"
    command = [python, "-m", "compileall", "-q", "-j", "0", *(["-b"] if replace else []),
               "-s", str(tree), "-p", home,
               "--invalidation-mode", "unchecked-hash", str(tree)]  # fmt: skip
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        command, capture_output=True, text=True, env={**environment, "PYTHONHASHSEED": "0"},
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise BundlingError(f"{home} could not be compiled:\n{done.stdout}{done.stderr}")
    if replace:
        for source in tree.rglob("*.py"):
            source.unlink()


def _zip(tree: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for file in _files(tree):
            entry = zipfile.ZipInfo(file.relative_to(tree).as_posix(), _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if file.suffix == ".so" else 0o644) << 16
            archive.writestr(entry, file.read_bytes())


def _files(tree: Path) -> Iterator[Path]:
    return (f for f in sorted(tree.rglob("*")) if f.is_file())
