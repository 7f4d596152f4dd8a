"""The registry: versions, route, runs, lock, ledger, audit of the models in one table.

Reads give the nouns of :mod:`driftloop`; writes of a run are conditional on its lock and fence.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256

from driftloop import keys
from driftloop.arrived import Arrived
from driftloop.aws.table import ABSENT, Table, Write
from driftloop.breaker import Breaker
from driftloop.errors import NotFound, RegistryConflict, RouteMoved, StaleLock
from driftloop.ledger import Audit, Entry, Pending
from driftloop.route import Route
from driftloop.run import Guard, Lock, Run
from driftloop.version import Version
from driftloop.watch import Watch


class Registry:
    """``Registry(table name)``."""

    def __init__(self, table: str) -> None:
        self.table = Table(table)

    # --- reads --------------------------------------------------------------------------------

    def routes(self) -> dict[str, Route]:
        """Every model that has a route, sorted by name, without reading the whole table."""
        found = self.table.listed(keys.ROUTES, keys.ROUTE)
        return {item["pk"].removeprefix(keys.model_pk("")): Route.from_item(item) for item in found}

    def version(self, model: str, number: int) -> Version:
        """Raises NotFound."""
        item = self.table.get(keys.model_pk(model), keys.version_sk(number))
        if item is None:
            raise NotFound(f"model {model} has no version {number}")
        return Version.from_item(item)

    def versions(self, model: str, limit: int | None = None) -> Iterator[Version]:
        """Newest first."""
        pk = keys.model_pk(model)
        for item in self.table.query(pk, keys.VERSION, newest=True, limit=limit):
            yield Version.from_item(item)

    def route(self, model: str) -> Route | None:
        """None until the first version is released."""
        item = self.table.get(keys.model_pk(model), keys.ROUTE)
        return Route.from_item(item) if item else None

    def lock(self, model: str) -> Lock:
        return Lock.from_item(self.table.get(keys.model_pk(model), keys.LOCK) or {})

    def run(self, model: str, run_id: str) -> Run:
        """Raises NotFound."""
        item = self.table.get(keys.model_pk(model), keys.run_sk(run_id))
        if item is None:
            raise NotFound(f"model {model} has no run {run_id}")
        return Run.from_item(item)

    def runs(self, model: str) -> list[Run]:
        """Newest first."""
        runs = map(Run.from_item, self.table.query(keys.model_pk(model), keys.RUN))
        return sorted(runs, key=lambda run: run.started, reverse=True)

    def ledger(
        self, model: str, *, since: str = "", until: str = "\uffff", limit: int | None = None
    ) -> Iterator[Entry]:
        """Newest first; ``since`` and ``until`` are ISO moments as :func:`driftloop.when.iso`."""
        pk = keys.model_pk(model)
        for item in self.table.query(
            pk, keys.LEDGER, since=since, until=until, newest=True, limit=limit
        ):
            yield Entry.from_item(item)

    def audit(self, model: str, limit: int | None = None) -> Iterator[Audit]:
        """Newest first."""
        pk = keys.model_pk(model)
        for item in self.table.query(pk, keys.AUDIT, newest=True, limit=limit):
            yield Audit.from_item(item)

    def pending(self, model: str) -> list[Pending]:
        """Oldest first."""
        return [
            Pending.from_item(item) for item in self.table.query(keys.model_pk(model), keys.PENDING)
        ]

    def arrived(self, model: str) -> Arrived | None:
        """None until labelled rows have come in."""
        item = self.table.get(keys.data_pk(model), keys.DATA)
        return Arrived.from_item(item) if item else None

    def watch(self, model: str) -> Watch | None:
        """None until the monitor has judged a window of a champion."""
        item = self.table.get(keys.watch_pk(model), keys.WATCH)
        return Watch.from_item(item) if item else None

    def breaker(self, model: str) -> Breaker:
        return Breaker.from_item(self.table.get(keys.model_pk(model), keys.BREAKER) or {})

    # --- appends ------------------------------------------------------------------------------

    def append_ledger(self, model: str, entry: Entry) -> None:
        self.table.write(ledger_write(model, entry))

    def arrive(self, model: str, new: Arrived) -> None:
        """Labelled rows came in; of what came together, whatever is said last, the newest holds."""
        while (old := self.arrived(model)) is None or old.newest < new.newest:
            seen = {"newest": old.newest if old else ABSENT}
            with suppress(RegistryConflict):  # somebody else was quicker: look again
                pk = keys.data_pk(model)
                self.table.write(Write("Put", pk, keys.DATA, new.to_item(), where=seen))

    def put_watch(self, model: str, new: Watch) -> None:
        """Replace the watch, unless that is of a newer window of the same version."""
        while (old := self.watch(model)) != new and not (
            old and old.version == new.version and old.window > new.window
        ):
            seen = {"version": old.version, "window": old.window} if old else {"pk": ABSENT}
            pk = keys.watch_pk(model)
            with suppress(RegistryConflict):  # another call of the monitor was quicker: look again
                self.table.write(Write("Put", pk, keys.WATCH, new.to_item(), where=seen))
                return

    # --- the lock -----------------------------------------------------------------------------

    def acquire(self, model: str, run: str, now: str) -> Guard:
        """Take the lock for ``run``. Raises RegistryConflict while another run holds it."""
        lock = replace(self.lock(model), holder=None)
        guard = Guard(run, lock.fence + 1)
        self.table.write(lock_write(model, lock, guard, now))
        return guard

    def free(self, model: str, guard: Guard) -> bool:
        """Give the lock up; False when the run does not hold it (any more)."""
        try:
            self.table.write(unlock_write(model, guard))
        except StaleLock:
            return False
        return True

    # --- guarded writes of a run --------------------------------------------------------------

    def register(self, model: str, version: Version, guard: Guard, audit: Audit) -> None:
        """Write a new version, name it in its run and audit it, all at once.

        Raises StaleLock when the run lost the lock, RegistryConflict when the number is taken or
        the run has registered already.
        """
        pk = keys.model_pk(model)
        self.table.write(
            guard_check(model, guard),
            Write(
                "Update",
                pk,
                keys.run_sk(guard.run),
                {"version": version.version},
                where={"version": ABSENT, "run": guard.run},
                otherwise=RegistryConflict(f"run {guard.run} has registered already"),
            ),
            Write(
                "Put",
                pk,
                keys.version_sk(version.version),
                version.to_item(),
                where={"pk": ABSENT},
                otherwise=RegistryConflict(f"version {version.version} of {model} is taken"),
            ),
            audit_write(model, audit),
        )

    def move_route(
        self, model: str, old: Route | None, new: Route, audit: Audit, guard: Guard | None = None
    ) -> None:
        """Replace route ``old`` by ``new``, which may name only versions that are registered.

        Raises RouteMoved when the route is no longer ``old``, StaleLock when ``guard`` is.
        """
        self.table.write(*move_writes(model, old, new, audit, guard))


# --- the writes, for transactions composed elsewhere ------------------------------------------


def ledger_write(model: str, entry: Entry) -> Write:
    sk = keys.ledger_sk(entry.time, entry.delivery)
    return Write("Put", keys.model_pk(model), sk, entry.to_item())


def audit_write(model: str, audit: Audit) -> Write:
    """Named by its content, so that a retry writes the same entry again."""
    name = sha256(repr(audit).encode()).hexdigest()[:12]
    sk = keys.audit_sk(audit.time, name)
    return Write("Put", keys.model_pk(model), sk, audit.to_item())


def guard_check(model: str, guard: Guard) -> Write:
    return Write(
        "ConditionCheck",
        keys.model_pk(model),
        keys.LOCK,
        where={"holder": guard.run, "fence": guard.fence},
        otherwise=StaleLock(f"run {guard.run} no longer holds the lock of {model}"),
    )


def unchanged(lock: Lock) -> dict[str, object]:
    """The condition that the lock is still as it was read."""
    return {"holder": lock.holder or ABSENT, "fence": lock.fence or ABSENT}


def lock_write(model: str, seen: Lock, guard: Guard, now: str) -> Write:
    """From ``seen``, which nobody holds or whose holder has ended, to ``guard``."""
    return Write(
        "Put",
        keys.model_pk(model),
        keys.LOCK,
        Lock(holder=guard.run, fence=guard.fence, since=now).to_item(),
        where=unchanged(seen),
        otherwise=RegistryConflict(f"{model}: another run holds the lock"),
    )


def unlock_write(model: str, guard: Guard) -> Write:
    return Write(
        "Update",
        keys.model_pk(model),
        keys.LOCK,
        remove=("holder", "execution", "since"),
        where={"holder": guard.run, "fence": guard.fence},
        otherwise=StaleLock(f"run {guard.run} does not hold the lock of {model}"),
    )


def move_writes(
    model: str, old: Route | None, new: Route, audit: Audit, guard: Guard | None
) -> list[Write]:
    pk = keys.model_pk(model)
    served = [new.champion, *([new.challenger] if new.challenger else [])]
    return [
        *([guard_check(model, guard)] if guard else []),
        *(
            Write(
                "ConditionCheck",
                pk,
                keys.version_sk(s.version),
                where={"plan_key": s.key, "plan_sha256": s.sha256},
                otherwise=NotFound(f"version {s.version} of {model} is not registered so"),
            )
            for s in served
        ),
        Write(
            "Put",
            pk,
            keys.ROUTE,
            {**new.to_item(), "listed": keys.ROUTE},
            where={"revision": old.revision if old else ABSENT},
            otherwise=RouteMoved(f"the route of {model} moved meanwhile"),
        ),
        audit_write(model, audit),
    ]
