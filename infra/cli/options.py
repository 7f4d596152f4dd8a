"""Options that several commands take, and the deployment that those before the command chose."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

if TYPE_CHECKING:
    from infra.cli.stacks import Deployment

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]
Limit = Annotated[int, Parameter(name=["--limit", "-n"], help="How many at most.")]
Wait = Annotated[bool, Parameter(help="Follow the run to its end.")]
Models = Annotated[
    list[Path] | None, Parameter(name="--model", negative="", help="A spec file; repeatable.")
]

LOCAL = Group("This machine", sort_key=1)
LOOP = Group("The loop", sort_key=2)
DATA = Group("The data", sort_key=3)
LOOK = Group("Looking", sort_key=4)


class Chosen:
    """What the options before the command settled."""

    env = "dev"
    cloud = False


def deployment() -> Deployment:
    """The chosen one. Raises Fault when there is none."""
    from infra.cli import stacks, target

    target.choose(Chosen.cloud)
    return stacks.find(Chosen.env)
