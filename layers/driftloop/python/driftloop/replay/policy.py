"""A policy: a model's spec with other words on watching and restarting.

Its file holds any of the spec's sections :data:`SECTIONS`, with only what is to be different in
them, and perhaps a ``name``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driftloop import yamlfile
from driftloop.errors import SpecError
from driftloop.mistakes import nearest
from driftloop.spec import MAX_BYTES, Spec

SECTIONS = ("data", "training", "gates", "monitor", "retrain")


@dataclass(frozen=True)
class Policy:
    """``spec``: the model's, as the policy has it."""

    name: str
    spec: Spec


def read(path: Path, spec: Spec) -> Policy:
    """The policy of a YAML file. Raises SpecError with one line per mistake."""
    return of(yamlfile.load(path, MAX_BYTES), spec, str(path), path.stem)


def of(said: Any, spec: Spec, source: str, name: str) -> Policy:
    """A parsed policy over ``spec``; ``source`` is where mistakes are said to lie. Raises
    SpecError."""
    if said is None:
        said = {}
    if not isinstance(said, dict):
        raise SpecError(f"{source}: should be a mapping of sections ({', '.join(SECTIONS)})")
    strange = [key for key in said if key not in ("name", *SECTIONS)]
    if strange:
        lines = (
            f"{source}: {key}: a policy has no such section{nearest(str(key), SECTIONS)}"
            for key in strange
        )
        raise SpecError("\n".join(lines))
    title = said.get("name", name)
    if not isinstance(title, str) or not title.strip():
        raise SpecError(f"{source}: name: {title!r} is no name; write a few words")
    changed = {key: _as_said(value) for key, value in said.items() if key != "name"}
    return Policy(title, Spec.parse(_merged(json.loads(spec.to_json()), changed), source))


def _as_said(section: Any) -> Any:
    """YAML 1.1 reads the key ``on:`` as true; people mean the word."""
    if isinstance(section, dict) and True in section:
        return {("on" if key is True else key): value for key, value in section.items()}
    return section


def _merged(old: Any, new: Any) -> Any:
    """``new`` over ``old``, key by key."""
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return new
    return {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}
