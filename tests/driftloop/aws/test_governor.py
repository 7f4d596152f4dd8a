"""The governor over a real table: what it sees and writes, races and crashes included."""

import pytest

from driftloop.arrived import Arrived
from driftloop.aws.governor import Governor
from driftloop.aws.table import Write
from driftloop.aws.workflow import Workflow
from driftloop.errors import RegistryConflict, Unavailable
from driftloop.event import RunEnd
from driftloop.ledger import Audit
from driftloop.route import Served, challenged, first
from driftloop.run import Guard
from driftloop.trigger import decide
from tests.driftloop.ledgers import Books, at, spec, version

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:driftloop-dev-flights"


class Executions(Workflow):
    """Step Functions in memory; ``down`` refuses to start."""

    def __init__(self):
        super().__init__(MACHINE)
        self.started, self.ends, self.down = {}, {}, False

    def start(self, name, given):
        if self.down:
            raise Unavailable("execution: AWS did not answer in time")
        assert self.started.setdefault(name, given) == given
        return self.execution(name)

    def end(self, name):
        return self.ends.get(name)


@pytest.fixture
def governor(registry):
    registry.arrive("flights", Arrived(at(0)))
    return Governor("dev", "flights", registry, Executions())


@pytest.fixture
def books():
    return Books()  # makes events


SPEC = spec()


def settle(governor, event):
    decision = governor.settle(event, lambda event, state: decide(event, state, SPEC))
    governor.launch()
    return decision


def rows(governor):
    return [(e.kind, e.decision) for e in governor.registry.ledger("flights")]


def test_a_run_is_written_locked_ledgered_and_started(governor, books):
    decision = settle(governor, books.upload(0))
    name = decision.start.run
    lock, run = governor.registry.lock("flights"), governor.registry.run("flights", name)
    assert (lock.holder, lock.fence) == (name, 1)
    assert (
        lock.execution == run.execution == f"{MACHINE.replace('stateMachine', 'execution')}:{name}"
    )
    assert governor.workflow.started == {name: run.input}
    assert rows(governor) == [("upload", "started")]


def test_law_3_two_deliveries_at_once_start_one_run(governor, books):
    """The second is settled between the first one's look and its write."""
    one, two = books.alarm(1), books.alarm(1)
    raced = []

    def racing(event, state):
        if not raced:
            raced.append(settle(governor, two))
        return decide(event, state, SPEC)

    lost = governor.settle(one, racing)
    assert (raced[0].entry.decision, lost.entry.decision) == ("started", "suppressed")
    assert len(governor.workflow.started) == 1
    assert len(rows(governor)) == 2


def test_law_5_two_causes_at_once_never_overlap(governor, books):
    raced = []

    def racing(event, state):
        if not raced:
            raced.append(settle(governor, books.alarm(1)))
        return decide(event, state, SPEC)

    waits = governor.settle(books.upload(1), racing)
    assert (raced[0].entry.decision, waits.entry.decision) == ("started", "deferred")
    assert governor.registry.lock("flights").holder == raced[0].start.run


def test_law_4_a_cause_deferred_while_the_run_ends_is_not_lost(governor, books):
    run = settle(governor, books.upload(0)).start.run
    late = books.upload(1, "incoming/flights/b.csv")
    raced = []

    def racing(event, state):
        if not raced:
            raced.append(settle(governor, books.ended(1, run, output="{}")))
        return decide(event, state, SPEC)

    assert governor.settle(late, racing).start.cause == "upload"


def test_a_crash_before_the_start_is_made_good_by_the_retry_or_any_event(governor, books):
    event = books.upload(0)
    governor.workflow.down = True
    with pytest.raises(Unavailable):
        settle(governor, event)
    governor.workflow.down = False
    assert settle(governor, event).repeat
    assert len(governor.workflow.started) == 1 and len(rows(governor)) == 1

    run = governor.registry.lock("flights").holder
    settle(governor, books.ended(1, run, output="{}"))
    governor.workflow.down = True
    with pytest.raises(Unavailable):
        settle(governor, books.upload(2, "incoming/flights/b.csv"))
    governor.workflow.down = False
    settle(governor, books.sweep(3))
    assert len(governor.workflow.started) == 2


def test_the_end_of_a_run_hands_over_to_what_waits(governor, books):
    run = settle(governor, books.upload(0)).start.run
    for hour in (1, 2):
        settle(governor, books.upload(hour, f"incoming/flights/{hour}.csv"))
    assert len(governor.registry.pending("flights")) == 2
    ended = settle(governor, books.ended(3, run, "FAILED", error="X", cause="y"))
    assert governor.registry.pending("flights") == []
    record = governor.registry.run("flights", run)
    assert (record.status, record.outcome, record.ended) == ("FAILED", "failed", at(3))
    lock = governor.registry.lock("flights")
    assert (lock.holder, lock.fence) == (ended.start.run, 2)
    assert lock.execution.endswith(ended.start.run)
    assert len(ended.start.uploads) == 2


def test_law_5_a_run_end_frees_only_its_own_lock(governor, books):
    one = settle(governor, books.upload(0)).start.run
    settle(governor, books.ended(1, one, output="{}"))
    two = settle(governor, books.upload(2)).start.run
    again = settle(governor, books.ended(3, one, output="{}"))
    assert again.entry.decision == "suppressed"
    assert governor.registry.lock("flights").holder == two


def test_a_sweep_asks_step_functions_about_the_holder(governor, books, monkeypatch):
    run = settle(governor, books.upload(0)).start.run
    assert "under way" in settle(governor, books.sweep(1)).entry.reason
    governor.workflow.ends[run] = RunEnd(run, "TIMED_OUT")
    swept = settle(governor, books.sweep(2))
    assert swept.finished.status == "TIMED_OUT"
    assert governor.registry.lock("flights").holder is None


def test_a_run_end_without_output_is_looked_up(governor, books):
    run = settle(governor, books.upload(0)).start.run
    output = '{"release": {"status": "promoted", "reason": "first"}, "version": {"version": 1}}'
    governor.workflow.ends[run] = RunEnd(run, "SUCCEEDED", output)
    assert settle(governor, books.ended(1, run)).finished.outcome == "released"


def test_law_6_a_broken_off_bake_is_withdrawn_in_the_same_write(governor, books):
    run = settle(governor, books.upload(0)).start.run
    registry, guard = governor.registry, Guard(run, 1)
    for number in (1, 2):
        item = version(number, None).to_item()
        registry.table.write(Write("Put", "MODEL#flights", f"VERSION#{number:06d}", item))
    route = first(Served(1, "k1", "s1"), at(0))
    registry.move_route("flights", None, route, Audit(at(0), "promote", "t", "r"), guard)
    trial = challenged(route, Served(2, "k2", "s2"), 0.1, at(0))
    registry.move_route("flights", route, trial, Audit(at(0), "canary", "t", "r"), guard)
    registry.table.write(Write("Update", "MODEL#flights", f"RUN#{run}", {"version": 2}))
    settle(governor, books.ended(1, run, "ABORTED"))
    now = registry.route("flights")
    assert (now.challenger, now.champion.version, now.revision) == (None, 1, 3)
    assert next(registry.audit("flights")).action == "withdraw"


def serving(governor, books, *numbers):
    """Versions released one after another, as the registry has them and ``books`` too."""
    books.serves(*numbers)
    registry = governor.registry
    for number in numbers:
        sk, item = f"VERSION#{number:06d}", books.versions[number].to_item()
        registry.table.write(Write("Put", "MODEL#flights", sk, item))
    registry.move_route("flights", None, books.route, Audit(at(0), "promote", "t", "r"))


def test_going_back_is_one_write_with_its_audit_and_its_row(governor, books):
    serving(governor, books, 1, 2, 3)
    books.sees("bad_release", "roll_back", performance=2.0)
    governor.registry.put_watch("flights", books.watch)
    settle(governor, books.alarm(1, "performance"))
    route = governor.registry.route("flights")
    assert (route.champion.version, route.previous, route.revision) == (2, 1, 2)
    assert next(governor.registry.audit("flights")).action == "rollback"
    assert rows(governor) == [("alarm", "rolled_back")]
    assert governor.registry.lock("flights").holder is None and not governor.workflow.started


def test_going_back_is_fenced_by_the_lock(governor, books):
    """A run begins between the look and the write: it is looked at again."""
    serving(governor, books, 1, 2)
    books.sees("bad_release", "roll_back")
    governor.registry.put_watch("flights", books.watch)
    looks = []

    def racing(event, state):
        if not looks:
            settle(governor, books.upload(1))
        looks.append(state.lock.holder)
        return decide(event, state, SPEC)

    assert governor.settle(books.alarm(1), racing).move
    assert looks == [None, governor.registry.lock("flights").holder]


def test_two_alarms_at_once_tell_people_once(governor, books):
    serving(governor, books, 1)
    books.sees("unit_bug", "quarantine", performance=2.0)
    governor.registry.put_watch("flights", books.watch)
    told = []

    def racing(event, state):
        if not told:
            told.append(settle(governor, books.alarm(1)).notices)
        return decide(event, state, SPEC)

    told.append(governor.settle(books.alarm(1, "performance"), racing).notices)
    assert [len(notices) for notices in told] == [1, 0]


def test_the_breaker_outlives_the_day_the_runs_and_the_ledger(governor, books):
    for hours in (0, 24 * 60, 24 * 300):
        run = settle(governor, books.alarm(hours)).start.run
        settle(governor, books.ended(hours + 1, run, "FAILED", error="X", cause="y"))
    breaker = governor.registry.breaker("flights")
    assert (breaker.failed, breaker.fruitless, breaker.revision) == (3, 3, 6)
    escalated = settle(governor, books.alarm(24 * 900))
    assert escalated.entry.escalated and escalated.notices
    assert settle(governor, books.alarm(24 * 901)).notices == []


def test_endless_conflict_is_unavailable(governor, books, monkeypatch):
    def refuse(*writes):
        raise RegistryConflict("somebody else wrote meanwhile")

    monkeypatch.setattr(governor.registry.table, "write", refuse)
    with pytest.raises(Unavailable, match="too many events"):
        governor.settle(books.upload(0), lambda event, state: decide(event, state, SPEC))
