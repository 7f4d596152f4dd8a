"""A governor's registry in memory: applies decisions as the real one does, for tests of policy."""

from dataclasses import replace
from datetime import timedelta

from driftloop.arrived import Arrived
from driftloop.brakes import DAY
from driftloop.breaker import Breaker
from driftloop.decision import Decision, Standing, State
from driftloop.event import Event, RunEnd
from driftloop.ids import event_digest, run_id
from driftloop.route import Served, first
from driftloop.run import RUNNING, Lock
from driftloop.spec import Spec
from driftloop.trigger import decide
from driftloop.version import Version
from driftloop.watch import Watch
from driftloop.when import iso, parse

START = parse("2013-02-01T00:00:00Z")


def spec(**retrain) -> Spec:
    return Spec.parse(
        {
            "name": "flights",
            "task": "classification",
            "target": "late",
            "features": {"hour": {"type": "number"}},
            "retrain": {
                "on": ["upload", "drift", "performance", "schedule"],
                **({} if "on" in retrain else {"schedule": "rate(7 days)"}),
                **retrain,
            },
        }
    )


def at(hours: float) -> str:
    return iso(START + timedelta(hours=hours))


class Books:
    """Deliver events with ``hear``; end the running run with ``end``."""

    def __init__(self, spec_=None):
        self.spec = spec_ or spec()
        self.lock, self.runs, self.pending = Lock(), {}, []
        self.breaker = Breaker()
        self.rows, self.route, self.standing = [], None, ()
        self.watch = None
        self.arrived = None  # None: labelled rows come all the time
        self.versions = {}
        self.running: list[str] = []
        self.told: list[dict] = []
        self.deliveries = 0

    def state(self, event: Event, holder_end=None) -> State:
        newest = sorted(self.rows, key=lambda r: (r.time, r.delivery), reverse=True)
        ended = event.ended or holder_end
        since = iso(parse(event.time) - DAY)
        return State(
            lock=self.lock,
            breaker=self.breaker,
            twins=tuple(r for r in newest if r.time == event.time),
            known=self.runs.get(run_id(event.cause, event.digest)) if event.cause else None,
            starts=tuple(r for r in newest if r.decision == "started" and r.time >= since),
            pending=tuple(self.pending),
            run=self.runs.get(ended.run) if ended else None,
            route=self.route,
            before=self.versions.get(self.route.previous) if self.route else None,
            watch=self.watch,
            arrived=self.arrived or Arrived(event.time),
            holder_end=holder_end,
            standing=self.standing if event.kind == "sweep" else (),
        )

    def hear(self, event: Event, holder_end=None) -> Decision:
        decision = decide(event, self.state(event, holder_end), self.spec)
        self.apply(decision)
        return decision

    def apply(self, d: Decision) -> None:
        if d.repeat:
            return
        keys = {(r.time, r.delivery) for r in self.rows}
        for row in (d.entry, *d.resolved):
            assert (row.time, row.delivery) not in keys, "a ledger row is written once"
            self.rows.append(row)
        for p in d.settled:
            self.pending.remove(p)
        if d.hold:
            self.pending.append(d.hold)
        if d.finished:
            assert self.runs[d.finished.run].status == RUNNING
            self.runs[d.finished.run] = d.finished
        if d.frees:
            self.lock = replace(self.lock, holder=None)
        if d.start:
            assert self.lock.holder is None, "law_5: two runs would overlap"
            assert d.start.run not in self.runs
            self.runs[d.start.run] = d.start
            self.lock = Lock(holder=d.start.run, fence=self.lock.fence + 1, since=d.start.started)
            self.running.append(d.start.run)
        if d.move:
            assert d.move.old == self.route
            self.route = d.move.new
        if d.breaker:
            self.breaker = replace(d.breaker, revision=self.breaker.revision + 1)
        self.told += d.notices

    def delivery(self) -> str:
        self.deliveries += 1
        return f"d{self.deliveries:04d}"

    def event(self, kind, hours, *, cause=None, identity=None, **more) -> Event:
        digest = event_digest("flights", identity or f"{kind}/{cause}/{hours}")
        return Event(kind, at(hours), self.delivery(), digest, f"{kind} it was", cause, **more)

    def alarm(self, hours, cause="drift") -> Event:
        return self.event("alarm", hours, cause=cause)

    def upload(self, hours, key="incoming/flights/a.csv") -> Event:
        pinned = {"bucket": "landing", "key": key, "version_id": f"v{hours}", "size": 10}
        return self.event(
            "upload", hours, cause="upload", identity=f"{key}/{hours}", uploads=(pinned,)
        )

    def sweep(self, hours) -> Event:
        return self.event("sweep", hours)

    def ended(self, hours, run, status="SUCCEEDED", **end) -> Event:
        return self.event(
            "run-ended", hours, identity=f"{run}/{status}", ended=RunEnd(run, status, **end)
        )

    def end(self, hours, outcome="released") -> Decision:
        """The run under way ends with ``outcome``."""
        output = {
            "released": '{"release": {"status": "promoted", "reason": "it is better"},'
            ' "version": {"version": 2}, "verdict": {"accepted": true, "reasons": []}}',
            "rejected": '{"verdict": {"accepted": false, "reasons":'
            ' [{"gate": "g", "passed": false, "text": "not better than the champion"}]}}',
        }
        run = self.running[-1]
        if outcome == "failed":
            cause = '{"errorMessage": "52 of 1,000 rows are bad", "errorType": "TooManyRejected"}'
            return self.hear(self.ended(hours, run, "FAILED", error="TooManyRejected", cause=cause))
        return self.hear(self.ended(hours, run, output=output[outcome]))

    def stands(self, since, cause="drift"):
        self.standing = (Standing(cause, at(since)),)

    def serves(self, *numbers: int) -> None:
        """Versions were released one after another; the last one answers."""
        born = dict(zip(numbers, (None, *numbers), strict=False))
        self.versions = {n: version(n, born[n]) for n in numbers}
        last = numbers[-1]
        champion = Served(last, f"k{last}", f"s{last}")
        self.route = replace(first(champion, at(0)), previous=born[last])

    def sees(self, kind=None, action=None, *, version=None, since=0, drift=2.4, performance=None):
        """What the monitor says of the champion."""
        number = version or self.route.champion.version
        text = "temp looks 100 times too large in all rows: nothing else moved." if kind else ""
        self.watch = Watch(
            number, at(since + 24), at(since + 48), at(since) if kind else "", drift, performance,
            kind, action, text, ["temp"] if kind else [],
        )  # fmt: skip


def version(number: int, born: int | None) -> Version:
    return Version(
        version=number, candidate="c", plan_key=f"k{number}", plan_sha256=f"s{number}", run="r",
        cause="upload", dataset="d", frame="f", estimator="e", created=at(0), spec_digest="s",
        code_digest="c", baseline_key="b", champion_at_birth=born,
    )  # fmt: skip
