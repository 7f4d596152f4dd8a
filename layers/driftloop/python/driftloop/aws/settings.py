"""What a function is told by its environment, as one typed object, read at call time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import driftloop
from driftloop.errors import SpecError


@dataclass(frozen=True)
class Settings:
    """One field per variable ``DRIFTLOOP_<FIELD>``; one that is not set reads as ``""``."""

    model: str = ""
    env: str = ""
    landing: str = ""
    store: str = ""
    table: str = ""
    topic: str = ""
    code: str = ""
    state_machine: str = ""
    piece: str = ""
    url: str = ""
    authorizer: str = ""
    public: str = ""
    dead_letters: str = ""
    answers: str = ""

    @classmethod
    def from_env(cls, env: Mapping[str, str], *needed: str) -> Settings:
        """Read the variables. Raises SpecError naming each of ``needed`` that is not set."""
        settings = cls(**{f.name: env.get(variable(f.name), "") for f in fields(cls)})
        missing = [variable(name) for name in needed if not getattr(settings, name)]
        if missing:
            raise SpecError(f"the function's environment lacks {', '.join(missing)}")
        return settings


def variable(field: str) -> str:
    """``state_machine`` → ``DRIFTLOOP_STATE_MACHINE``."""
    return f"DRIFTLOOP_{field.upper()}"


def spec_path() -> Path:
    """Where the model's layer puts its spec: ``/opt/spec.json``, beside ``/opt/python``."""
    return Path(driftloop.__file__).parents[2] / "spec.json"
