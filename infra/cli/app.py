"""The command's table of contents: names, options, help. What they do lies in files of their own.

AWS's libraries are imported by the commands that need them, so that help comes at once.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Group, Parameter

from infra.cli import console, data, release
from infra.cli.options import LOCAL, LOOK, LOOP, Chosen, Json, Limit, Models, Wait, deployment
from infra.cli.replay import command as replay

app = App(
    name="driftloop",
    help="""Keep machine-learning models fresh on AWS.

    Works on the embedded AWS that `driftloop up` starts, or on your account with `--cloud`.
    Exit codes: 0 done; 1 it came out badly; 2 asked wrongly; 3 nobody there.""",
    help_epilogue="Start with: driftloop up",
    version=version("driftloop"),
)
app.meta.group_parameters = Group("Which deployment", sort_key=0)
app.command(data.app, name="*")
app.command(release.app, name="*")
app.command(replay.app, name="*")


@app.meta.default
def launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    env: Annotated[str, Parameter(help="Environment of cdk.json.")] = "dev",
    cloud: Annotated[
        bool, Parameter(negative="", help="AWS itself, even if an embedded one runs.")
    ] = False,
) -> int:
    Chosen.env, Chosen.cloud = env, cloud
    result = app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
    return result if isinstance(result, int) else 0


@app.command(group=LOCAL)
def init(
    file: Path,
    /,
    *,
    name: Annotated[str | None, Parameter(help="Of the model; else after the file.")] = None,
    target: Annotated[str | None, Parameter(help="The column to predict.")] = None,
    task: Literal["classification", "regression"] | None = None,
    time: Annotated[str | None, Parameter(help="The column of the event time.")] = None,
    key: Annotated[str | None, Parameter(help="The column that names a row.")] = None,
    out: Annotated[Path | None, Parameter(help="Where the spec goes.")] = None,
    only_print: Annotated[
        bool, Parameter(name="--print", negative="", help="Print the spec, write nothing.")
    ] = False,
    force: Annotated[bool, Parameter(negative="", help="Replace a spec that is there.")] = False,
) -> None:
    """Infer a spec from a data file (CSV, JSON Lines, Parquet), and say what is unsure in it."""
    from driftloop.infer import Wishes
    from infra.cli.init import init as infer

    wishes = Wishes(target, task, time, key)
    infer(str(file), name=name, wishes=wishes, out=out, only_print=only_print, force=force)


@app.command(group=LOCAL)
def up(
    *,
    model: Models = None,
    port: int = 4566,
    speed: float = 1.0,
    detach: Annotated[bool, Parameter(name=["--detach", "-d"], negative="")] = False,
) -> None:
    """Start the embedded AWS and deploy the loop on it.

    Parameters
    ----------
    port: Where AWS answers on 127.0.0.1; 0 takes any free one.
    speed: How fast its clock runs; 60 makes an hour a minute.
    detach: Return once it is up.
    """
    from infra.cli import up as local

    start = local.detach if detach else local.up
    start(model or [], port=port, speed=speed, env=Chosen.env)


@app.command(group=LOCAL)
def down() -> None:
    """Stop the embedded AWS; everything in it is gone."""
    from infra.cli.up import down as stop

    stop()


@app.command(group=LOCAL)
def demo(
    *,
    json: Annotated[Path | None, Parameter(help="Write the story's data here.")] = None,
    months: Annotated[int, Parameter(help="Months served after January, 1 to 11.")] = 5,
    report: Annotated[Path, Parameter(help="Where the report goes.")] = Path("report/demo.html"),
) -> int:
    """Watch a model go stale on real flights and the loop repair it."""
    from infra.cli.demo import demo as tell

    return tell(months=months, report=report, json=json)


@app.command(group=LOOP)
def upload(model: str, /, *files: str, wait: Wait = True, json: Json = False) -> int:
    """Put training data where the loop looks for it (several files are one upload), and follow the
    run it starts."""
    from infra.cli.fault import ASKED_WRONGLY, Fault
    from infra.cli.upload import upload as send

    if not files:
        raise Fault("name at least one file to upload", ASKED_WRONGLY)
    outcome = send(deployment(), model, list(files), wait=wait, json=json)
    return 0 if outcome is None or outcome.well else 1


@app.command(group=LOOP)
def predict(
    model: str,
    file: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    json: Json = False,
    token: Annotated[str | None, Parameter(env_var="DRIFTLOOP_TOKEN")] = None,
    limit: Annotated[int, Parameter(name=["--limit", "-n"])] = 0,
) -> None:
    """Send rows of a CSV or JSON file (or - for stdin) to the endpoint, signed.

    Parameters
    ----------
    token: A bearer token instead of a signature, where the API asks for JWTs.
    limit: Only the first rows.
    """
    from infra.cli.predict import predict as ask

    ask(deployment(), model, file, json=json, token=token, limit=limit)


@app.command(group=LOOP)
def batch(
    model: str,
    file: str,
    /,
    *,
    out: Annotated[Path | None, Parameter(help="Where the predictions go.")] = None,
    wait: Wait = True,
    json: Json = False,
) -> int:
    """Score a file of any size (CSV, JSON Lines, Parquet), and fetch predictions and rejects."""
    from infra.cli.batch import batch as score

    return score(deployment(), model, file, out=out, wait=wait, json=json)


@app.command(group=LOOP)
def labels(model: str, /, *files: str, wait: Wait = True, json: Json = False) -> int:
    """Hand in what became of served predictions (CSV, JSON Lines, Parquet); without a file, see
    what is labelled and learned from."""
    from infra.cli.labels import labels as send
    from infra.cli.labels import overview

    if files:
        return send(deployment(), model, list(files), wait=wait, json=json)
    overview(deployment(), model, json=json)
    return 0


@app.command(group=LOOP)
def retrain(
    model: str, /, *, reason: str = "asked for by hand", wait: Wait = True, json: Json = False
) -> int:
    """Ask for a run now; the loop decides as on any other event."""
    from infra.cli.retrain import retrain as ask

    outcome = ask(deployment(), model, reason=reason, wait=wait, json=json)
    return 0 if outcome is None or outcome.well else 1


@app.command(group=LOOP)
def rollback(
    model: str,
    /,
    *,
    to: Annotated[int | None, Parameter(help="A version; by default the one before.")] = None,
    reason: str = "rolled back by hand",
    json: Json = False,
) -> None:
    """Let an older version answer again, at once."""
    from infra.cli.rollback import rollback as move

    move(deployment(), model, to=to, reason=reason, json=json)


@app.command(group=LOOK)
def status(*, json: Json = False) -> None:
    """Each model at a glance."""
    from infra.cli.status import status as show

    show(deployment(), os.environ.get("AWS_ENDPOINT_URL"), json=json)


@app.command(group=LOOK)
def runs(model: str, /, *, limit: Limit = 20, json: Json = False) -> None:
    """Runs, newest first: cause, outcome, what was refused and why."""
    from infra.cli.listings import runs as show

    show(deployment(), model, limit=limit, json=json)


@app.command(group=LOOK)
def versions(model: str, /, *, limit: Limit = 20, json: Json = False) -> None:
    """Versions, newest first, and which one answers."""
    from infra.cli.listings import versions as show

    show(deployment(), model, limit=limit, json=json)


@app.command(group=LOOK)
def ledger(
    model: str,
    /,
    *,
    since: Annotated[str, Parameter(help="A moment like 2013-02-01 or 2013-02-01T10:00:00Z.")] = "",
    limit: Annotated[
        int | None,
        Parameter(name=["--limit", "-n"], help="Newest decisions: 40, or with --since all."),
    ] = None,
    every: Annotated[
        bool, Parameter(name=["--all", "-a"], negative="", help="Every row by itself.")
    ] = False,
    json: Json = False,
) -> None:
    """The log book: every trigger, what was decided on it and why, and what came of it."""
    from infra.cli.logbook import ledger as show

    show(deployment(), model, limit=limit, since=since, every=every, json=json)


@app.command(group=LOOK)
def drift(
    model: str,
    /,
    *,
    windows: Annotated[int, Parameter(name=["--windows", "-n"])] = 14,
    window: str | None = None,
    html: str | None = None,
    json: Json = False,
) -> None:
    """What the monitor concluded, window by window; above 1 is over the threshold.

    Parameters
    ----------
    windows: How many of the last ones.
    window: One in full, by the day it begins on; or 2013-02-01T10:00.
    html: Write its page (without --window: the last one's) to this file.
    """
    from infra.cli.drift import drift as show

    show(deployment(), model, windows=windows, at=window, html=html, json=json)


def run(arguments: list[str] | None = None) -> int:
    """Run the command; the exit code. A user's mistake gives a sentence, ours a traceback."""
    tokens = sys.argv[1:] if arguments is None else arguments
    try:
        result = app.meta(
            tokens, exit_on_error=False, print_error=False, result_action="return_value"
        )
    except CycloptsError as error:
        console.err.print(f"[red]driftloop:[/] {error}  (driftloop --help)", soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        console.err.print("stopped", style=console.QUIET)
        return 130
    except Exception as error:
        from infra.cli.fault import understood

        fault = understood(error)
        if fault is None:
            raise
        console.err.print("[red]driftloop:[/]", end=" ")
        console.err.print(str(fault), markup=False, soft_wrap=True)
        return fault.code
    return result if isinstance(result, int) else 0
