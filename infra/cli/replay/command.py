"""`driftloop replay`: names, options, help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from infra.cli import target
from infra.cli.options import LOOK, deployment

app = App()


@app.command(group=LOOK)
def replay(
    model: str | None = None,
    /,
    *,
    policy: Annotated[
        list[Path] | None, Parameter(negative="", help="A policy's file; repeatable.")
    ] = None,
    start: Annotated[
        str | None, Parameter(name="--from", help="Like 2013-02-01; else the first release.")
    ] = None,
    end: Annotated[str | None, Parameter(name="--to", help="Until when; else now.")] = None,
    train: Annotated[
        bool, Parameter(help="Retrain as a policy says; else answers are taken as recorded.")
    ] = True,
    json: Annotated[Path | None, Parameter(help="Write it all here, run by run.")] = None,
    months: Annotated[int, Parameter(help="Of the example, after January: 1 to 11.")] = 11,
) -> None:
    """What other policies would have made of what happened: retrains, cost, alarms, quality.

    Without a model: the example's flights, the whole of 2013. A policy is a YAML file with the
    sections of a spec that it changes (data, training, gates, monitor, retrain).
    """
    from infra.cli.fault import ASKED_WRONGLY, Fault

    if model is None:
        from infra.cli.replay.example import year

        if not 1 <= months <= 11:
            raise Fault(f"--months is 1 to 11, not {months}", ASKED_WRONGLY)
        return year(months=months, policies=policy or [], json=json)
    from infra.cli.replay.recorded import replay as play

    return play(
        deployment(), model, policy or [], now=target.now(), start=start, end=end,
        train=train, json=json,
    )  # fmt: skip
