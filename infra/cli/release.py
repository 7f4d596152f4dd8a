"""The commands about a release under way: what it waits for, and a person's word on it."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from infra.cli.options import LOOP, Json, deployment

app = App()
release = App(name="release", group=LOOP, help="The release under way: see, hold, end it.")
app.command(release)

Reason = Annotated[str, Parameter(help="Kept in the audit.")]


@release.command
def status(model: str, /, *, json: Json = False) -> None:
    """Its step, the evidence so far, and what it waits for."""
    from infra.cli.release_status import status as show

    show(deployment(), model, json=json)


@release.command
def pause(model: str, /, *, reason: Reason = "held by hand", json: Json = False) -> None:
    """Hold it where it is; a challenger that is clearly bad is still rolled back."""
    from infra.cli.release_moves import pause as move

    move(deployment(), model, reason, json=json)


@release.command
def resume(model: str, /, *, reason: Reason = "resumed by hand", json: Json = False) -> None:
    """Let it go on; its step begins again."""
    from infra.cli.release_moves import resume as move

    move(deployment(), model, reason, json=json)


@release.command
def abort(model: str, /, *, reason: Reason = "aborted by hand", json: Json = False) -> None:
    """Take the challenger back, at once; the champion answers everything."""
    from infra.cli.release_moves import abort as move

    move(deployment(), model, reason, json=json)


@release.command
def promote(model: str, /, *, reason: Reason = "promoted by hand", json: Json = False) -> None:
    """Make the challenger the champion, at once, whatever was seen of it."""
    from infra.cli.release_moves import promote as move

    move(deployment(), model, reason, json=json)
