"""Which specs `driftloop up` and `cdk deploy` take: the list in cdk.json."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from driftloop.errors import SpecError
from driftloop.spec import Spec
from infra.cli.fault import ASKED_WRONGLY, Fault


def namesake(project: Path, name: str, out: Path) -> Path | None:
    """Another spec of ``project`` that is deployed under this name."""
    for model in _models(project):
        path = project / model
        if path.resolve() == out.resolve():
            continue
        try:
            if Spec.load(path).name == name:
                return path
        except SpecError:  # somebody else's mistake; `driftloop up` will tell
            continue
    return None


def add(project: Path, out: Path) -> bool:
    """List ``out`` in the project's cdk.json, whose layout stays. False if it lies outside of a
    project. Raises Fault when cdk.json has no list to add to."""
    file = project / "cdk.json"
    if not file.exists() or not out.resolve().is_relative_to(project.resolve()):
        return False
    entry = out.resolve().relative_to(project.resolve()).as_posix()
    if any((project / model).resolve() == out.resolve() for model in _models(project)):
        return True
    text = file.read_text()
    listed = re.search(r'("models"\s*:\s*\[)([^\]]*?)(\s*\])', text)
    if listed is None:
        raise Fault(f"{file}: has no list of models; add {entry!r} to it", ASKED_WRONGLY)
    comma = ", " if listed[2].strip() else ""
    grown = text[: listed.end(2)] + comma + json.dumps(entry) + text[listed.end(2) :]
    file.write_text(grown)
    return True


def _models(project: Path) -> list[str]:
    try:
        document: dict[str, Any] = json.loads((project / "cdk.json").read_text())
    except (OSError, ValueError):
        return []
    found = document.get("context", {}).get("models", [])
    return [m for m in found if isinstance(m, str)] if isinstance(found, list) else []
