"""The flights' whole year, policy by policy, from the example's files alone.

January trains the first version; from February on every flight is asked about as it departs, and
what became of a day's flights is known half an hour before the next day begins.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter, process_time

from driftloop.replay.history import History
from driftloop.replay.memory import Memory
from driftloop.replay.policy import Policy, read
from driftloop.replay.recording import Row, served, upload
from driftloop.replay.workshop import Workshop
from driftloop.spec import Spec
from driftloop.when import from_ms, iso, to_ms
from infra.cli import console
from infra.cli.demo import flights
from infra.cli.demo.flights import Flight
from infra.cli.demo.serve import LABELS_COME, begins
from infra.cli.replay import table
from infra.cli.replay.together import Play, processes, together
from infra.cli.synth import EXAMPLE, ROOT

POLICIES = ROOT / "examples" / "policies"
OURS = "driftloop's policy"


def year(*, months: int, policies: Sequence[Path], json: Path | None) -> None:
    """Play ``months`` after January under never, monthly, the spec's own policy and ``policies``,
    and beside them the oracle."""
    began = perf_counter()
    spec = Spec.load(ROOT / EXAMPLE)
    files = [POLICIES / "never.yaml", POLICIES / "monthly.yaml", *policies]
    others = [read(path, spec) for path in files]
    history = recorded(spec, months)
    said = f"{months} months of flights recorded in {perf_counter() - began:.0f} s; playing …"
    console.out.print(said, style=console.QUIET)
    ours = Policy(OURS, spec)
    mine, bound, *theirs = together(
        [Play(history, ours), Play(history, ours, hindsight=True)]  # what takes longest, first
        + [Play(history, policy) for policy in others]
    )
    outcomes = [*theirs, mine, bound]
    if json:
        table.write(json, outcomes)
    table.show("the flights' year, policy by policy", outcomes)
    console.out.print(table.fine_print(outcomes), style=console.QUIET)
    console.out.print(f"played in {perf_counter() - began:.0f} s", style=console.QUIET)


def recorded(spec: Spec, months: int) -> History:
    """The history of ``months`` after January."""
    store = Memory()
    first = date(2013, 2, 1)
    known = _known(date(2013, 1, 31))
    upload(store, spec, [_row(spec, flight) for flight in flights.read(1, spec)], known, "January")
    with tempfile.TemporaryDirectory() as folder:
        learnt = Workshop(Path(folder), process_time).learn(store, spec, iso(from_ms(known)))
    version = learnt.version(1, "upload-1", "upload", iso(from_ms(known)), None)
    with processes() as pool:
        for objects in pool.map(_month, range(2, 2 + months), [spec] * months):
            for key, data in objects.items():
                store.put(key, data)
    end = begins(date(2013 + (months + 2) // 13, (months + 1) % 12 + 1, 1))
    return History.read(store, spec.name, [version], 1, to_ms(begins(first)), to_ms(end))


def _month(month: int, spec: Spec) -> dict[str, bytes]:
    """What a month of flying leaves behind."""
    store = Memory()
    for day, found in flights.days(flights.read(month, spec)):
        served(store, spec, [_row(spec, flight) for flight in found], _known(day), str(day))
    return store.objects


def _known(day: date) -> int:
    """When it is known what became of a day's flights."""
    return to_ms(begins(day + timedelta(days=1)) - LABELS_COME)


def _row(spec: Spec, flight: Flight) -> Row:
    key = flight.instance[spec.key or ""]
    return Row(to_ms(flight.departs), key, flight.instance, str(flight.late))
