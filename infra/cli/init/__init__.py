"""`driftloop init`: a data file → a spec to read, correct and deploy.

Two passes over the file: one to see what each column is, one to rehearse what the loop will do with
it under the spec inferred, since only the contract itself knows what it rejects.
"""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path

from driftloop.errors import NotEnoughData
from driftloop.infer import Guess, Inferred, Learned, Table, Wishes, infer
from driftloop.reading import open_source
from infra.cli import console
from infra.cli.fault import ASKED_WRONGLY, Fault
from infra.cli.init import deployable
from infra.cli.init.observe import observe
from infra.cli.init.rehearse import Rehearsal, rehearse
from infra.cli.init.say import say
from infra.cli.init.write import written
from infra.cli.rows import existing
from infra.cli.synth import ROOT

MOST_ROWS = 1_000_000
DAY = 86_400_000  # ms; what a spec's `data.future` allows


def init(
    file: str, *, name: str | None, wishes: Wishes, out: Path | None, only_print: bool, force: bool,
    project: Path = ROOT,
) -> None:  # fmt: skip
    """Infer, write, and say what to look at. Raises Fault, DriftloopError."""
    path = existing(file)
    model = name or named_after(path)
    target = out or project / "infra" / "models" / f"{model}.yaml"
    if not only_print:
        _refuse(target, model, project, force)
    with console.err.status("Reading …"):
        with path.open("rb") as stream:
            table = observe(open_source(stream, None).blocks(), MOST_ROWS)
        inferred, rehearsal = _tried(path, table, model, wishes, round(time.time() * 1000))
    text = written(inferred, _head(path, table))
    if only_print:
        print(text, end="")
        say(inferred, rehearsal, table, path, console.err)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    say(inferred, rehearsal, table, path, console.out)
    _next(target, inferred, file, deployable.add(project, target))


def _tried(
    path: Path, table: Table, model: str, wishes: Wishes, now: int
) -> tuple[Inferred, Rehearsal]:  # fmt: skip
    """A spec that was tried out on the file, and mended by what that taught."""
    inferred = infer(model, table, wishes, now)
    rehearsal = rehearse(path, inferred.spec, now + DAY, MOST_ROWS)
    if rehearsal.bad > rehearsal.total / 2:
        why = ", ".join(f"{n:,} {reason.strip('|')}" for reason, n in rehearsal.reasons.items())
        raise NotEnoughData(
            f"{rehearsal.bad:,} of {rehearsal.total:,} rows could not be used: {why}"
        )
    learned = Learned(rehearsal.copies, rehearsal.bad, rehearsal.repeated)
    if rehearsal.obstacle and inferred.spec.time:
        hashed = infer(model, table, wishes, now, replace(learned, by_hash=rehearsal.obstacle))
        again = rehearse(path, hashed.spec, now + DAY, MOST_ROWS)
        if not again.obstacle:
            return _remarked(hashed, again), again
    mended = infer(model, table, wishes, now, learned)
    if mended.spec != inferred.spec:
        rehearsal = rehearse(path, mended.spec, now + DAY, MOST_ROWS)
    return _remarked(mended, rehearsal), rehearsal


def _remarked(inferred: Inferred, rehearsal: Rehearsal) -> Inferred:
    """With what stood out in the data as doubts of their own."""
    guesses = {guess.about: guess for guess in inferred.guesses}
    for finding in rehearsal.findings:
        about = f"features.{finding.field}"
        if guess := guesses.get(about):
            guesses[about] = replace(guess, unsure=True, others=(*guess.others, finding.text))
        else:
            about = f"{finding.rule}.{finding.field}"
            guesses[about] = Guess(finding.field or "rows", finding.rule, finding.text, unsure=True)
    return replace(inferred, guesses=list(guesses.values()))


def named_after(path: Path) -> str:
    """``My Data (1).csv.gz`` → ``my-data-1``."""
    stem = path.name.lower().split(".")[0] or path.name.lower()
    plain = re.sub(r"[^a-z0-9]+", "-", stem).strip("-")
    plain = plain if plain[:1].isalpha() else f"model-{plain}".rstrip("-")
    return plain[:31].rstrip("-") if plain != "platform" else "platform-model"


def _refuse(target: Path, model: str, project: Path, force: bool) -> None:
    if target.is_dir():
        raise Fault(f"{target}: is a folder; name a file in it", ASKED_WRONGLY)
    if target.exists() and not force:
        raise Fault(f"{target}: is there already; --force replaces it, --name or --out writes "
                    "another", ASKED_WRONGLY)  # fmt: skip
    if model == "platform":
        raise Fault("'platform' is the name of the shared stack; choose another --name",
                    ASKED_WRONGLY)  # fmt: skip
    if other := deployable.namesake(project, model, target):
        raise Fault(f"{other} is the spec of {model!r} already; choose another --name",
                    ASKED_WRONGLY)  # fmt: skip


def _head(path: Path, table: Table) -> str:
    rows = f"{table.rows:,} rows" if table.whole else f"the first {table.rows:,} rows"
    return f"Written by `driftloop init` from {path.name}: {rows}, {len(table.columns)} columns."


def _next(target: Path, inferred: Inferred, file: str, deployed: bool) -> None:
    name = inferred.spec.name
    if deployed:
        console.out.print(f"\nWrote {target}, and listed it in cdk.json. Next:\n", soft_wrap=True)
        up = "driftloop up"
    else:
        console.out.print(f"\nWrote {target}. Next:\n", soft_wrap=True)
        up = f"driftloop up --model {target}"
    console.out.print(f"  {up}\n  driftloop upload {name} {file}\n", markup=False, soft_wrap=True)
