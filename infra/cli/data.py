"""The commands about data: what was rejected, which versions of the rows there are."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import App, Parameter

from infra.cli.options import DATA, Json, Limit, Wait, deployment

app = App()
quarantine = App(name="quarantine", group=DATA, help="Rejected rows: which, why, and in again.")
app.command(quarantine)

Upload = Annotated[
    str | None, Parameter(help="Of one upload: its file, or the beginning of its name.")
]
Rule = Annotated[str | None, Parameter(help="Rejected by one rule, like not_a_number.")]


@quarantine.default
def listed(
    model: str,
    /,
    *,
    upload: Upload = None,
    by: Annotated[
        Literal["rule", "field", "upload"] | None, Parameter(help="Group reasons by this alone.")
    ] = None,
    json: Json = False,
) -> None:
    """What is in quarantine, and why."""
    from infra.cli.quarantine import show

    show(deployment(), model, upload=upload, by=by, json=json)


@quarantine.command
def export(model: str, file: str, /, *, upload: Upload = None, rule: Rule = None) -> None:
    """Write rejected rows to a file (.csv, .jsonl) to be mended and re-admitted."""
    from infra.cli.quarantine import export as write

    write(deployment(), model, file, upload=upload, rule=rule)


@quarantine.command
def readmit(
    model: str,
    /,
    *,
    upload: Upload = None,
    rule: Rule = None,
    file: Annotated[
        str | None, Parameter(help="Rows as mended in an exported file, instead of as they stood.")
    ] = None,
    wait: Wait = True,
    json: Json = False,
) -> int:
    """Let rejected rows in again, once the spec or the rows were mended."""
    from infra.cli.readmit import send

    outcome = send(deployment(), model, upload=upload, rule=rule, file=file, wait=wait, json=json)
    return 0 if outcome is None or outcome.well else 1


@app.command(group=DATA)
def datasets(
    model: str, dataset: str | None = None, /, *, limit: Limit = 20, json: Json = False
) -> None:
    """Versions of the rows, newest first: made by what, learned from by which versions.

    Parameters
    ----------
    dataset: Show the parts of this one (see diff for its names).
    """
    from infra.cli.datasets import show

    show(deployment(), model, dataset, limit=limit, json=json)


@app.command(group=DATA)
def diff(model: str, first: str, second: str = "latest", /, *, json: Json = False) -> None:
    """What changed from one dataset to another: rows, columns, distributions.

    Parameters
    ----------
    first: The beginning of a digest, a version that learned from it (v7), or latest.
    """
    from infra.cli.diff import show

    show(deployment(), model, first, second, json=json)


@app.command(name="export", group=DATA)
def export_dataset(
    model: str,
    dataset: str,
    file: str,
    /,
    *,
    defuse: Annotated[
        bool, Parameter(negative="", help="For spreadsheets: no cell runs as a formula (CSV).")
    ] = False,
) -> None:
    """Write a dataset to one file (.csv, .jsonl, .parquet): the same bytes every time.

    Parameters
    ----------
    dataset: The beginning of a digest, a version that learned from it (v7), or latest.
    """
    from infra.cli.datasets import export as write

    write(deployment(), model, dataset, file, defuse=defuse)


@app.command(group=DATA)
def report(
    model: str,
    dataset: str = "latest",
    /,
    *,
    upload: Upload = None,
    out: Annotated[str | None, Parameter(help="Where to write the page.")] = None,
    json: Json = False,
) -> None:
    """The page of a dataset or an upload: distributions, gaps, outliers, what to look at.

    Parameters
    ----------
    dataset: The beginning of a digest, a version that learned from it (v7), or latest.
    """
    from infra.cli.data_pages import show

    show(deployment(), model, dataset, upload=upload, out=out, json=json)
