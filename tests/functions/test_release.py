"""Register, release and query as functions over one registry; law 6 at every crash between."""

import hashlib
import json
from types import SimpleNamespace

import pytest

from driftloop import keys
from driftloop.aws import table as table_module
from driftloop.aws.registry import Registry
from driftloop.aws.store import Store
from driftloop.aws.table import Write
from driftloop.errors import RouteMoved, StaleLock
from driftloop.ledger import Audit
from driftloop.releasing.evidence import Evidence, Seen
from driftloop.route import promoted, withdrawn
from driftloop.run import Guard, Run
from driftloop.spec import Release
from driftloop.traffic import Traffic
from functions.query import handler as query
from functions.register import handler as register
from functions.release import handler as release
from tests.driftloop.aws.conftest import aws  # noqa: F401
from tests.driftloop.ledgers import at, spec
from tests.driftloop.plans import plan
from tests.driftloop.test_register import REPORT, STATE

CONTEXT = SimpleNamespace(
    function_name="f", memory_limit_in_mb=128, invoked_function_arn="arn", aws_request_id="r"
)


@pytest.fixture
def loop(aws, monkeypatch, tmp_path):  # noqa: F811
    path = tmp_path / "spec.json"
    path.write_bytes(spec().to_json())
    for function in (register, release):
        monkeypatch.setattr(function, "spec_path", lambda: path)
    told = {"ENV": "dev", "TABLE": "registry", "STORE": "store", "CODE": "code",
            "URL": "https://api", "AUTHORIZER": "iam"}  # fmt: skip
    for name, value in told.items():
        monkeypatch.setenv(f"DRIFTLOOP_{name}", value)
    seen = Seen(Traffic(100, 0, 100, 1.0, 2.0))
    monkeypatch.setattr(release, "evidence", lambda *args: Evidence(seen, seen))
    return Loop()


class Loop:
    """Runs that are past validation, one after the other."""

    def __init__(self):
        self.registry, self.store, self.count = Registry("registry"), Store("store"), 0

    def run(self):
        """The state of a new run, which holds the lock."""
        self.count += 1
        name, data = f"upload-{self.count}", plan(float(self.count))
        plan_key, environment_key = (
            keys.version_artefact("flights", f"c{self.count}", file)
            for file in ("plan.json", "environment.json")
        )
        self.store.put(plan_key, data)
        self.store.put(environment_key, b"{}")
        self.store.put("verdict", json.dumps(REPORT).encode())
        pk = keys.model_pk("flights")
        self.registry.table.write(
            Write("Put", pk, keys.run_sk(name), Run(name, "upload").to_item())
        )
        guard = self.registry.acquire("flights", name, at(0))
        candidate = STATE["candidate"] | {
            "candidate": f"c{self.count}",
            "plan_key": plan_key,
            "plan_sha256": hashlib.sha256(data).hexdigest(),
            "environment_key": environment_key,
        }
        verdict = STATE["verdict"] | {"key": "verdict"}
        return STATE | {
            "run": name,
            "fence": guard.fence,
            "candidate": candidate,
            "verdict": verdict,
        }

    def step(self, function, op, state, hours=0.0):
        event = {"op": op, "state": state, "now": at(hours), "execution": "arn"}
        return function.handler(event, CONTEXT)

    def release(self, state, hours=0.0):
        """Everything from Register to the end; the status of the release."""
        state = state | {"version": self.step(register, "register", state, hours)}
        step = self.step(release, "start", state, hours)
        if step["status"] == "baking":
            step = self.step(release, "observe", state | {"release": step}, hours + 1)
        return step["status"]

    def next(self, hours=0.0):
        state = self.run()
        status = self.release(state, hours)
        self.registry.free("flights", guard_of(state))
        return status

    def resolves(self):
        """Whether the route names registered versions whose plans are what it says."""
        route = self.registry.route("flights")
        for served in (route.champion, *([route.challenger] if route.challenger else [])):
            found = self.registry.version("flights", served.version)
            assert (found.plan_key, found.plan_sha256) == (served.key, served.sha256)
            assert hashlib.sha256(self.store.get(served.key)).hexdigest() == served.sha256
            assert self.store.exists(found.card_key)
        return True


def guard_of(state):
    return Guard(state["run"], state["fence"])


def test_from_candidate_to_champion_and_the_next_one_by_canary(loop):
    assert loop.next() == "promoted"
    assert loop.registry.route("flights").champion.version == 1
    assert loop.next(1) == "promoted"
    route = loop.registry.route("flights")
    assert (route.champion.version, route.previous, route.challenger) == (2, 1, None)
    actions = [a.action for a in loop.registry.audit("flights")]
    assert sorted(actions) == ["canary", "promote", "promote", "register", "register"]
    assert loop.resolves()


def test_registering_again_gives_the_same_version(loop):
    state = loop.run()
    first = loop.step(register, "register", state)
    assert loop.step(register, "register", state) == first == {"version": 1, "candidate": "c1"}
    assert len(list(loop.registry.versions("flights"))) == 1


class Crash(BaseException):
    """The process died here."""


def test_law_6_a_crash_at_any_write_leaves_a_route_that_resolves(loop, monkeypatch):
    loop.next()
    table_write, store_put = table_module.Table.write, Store.put
    survived = False
    for crash_at in range(20):
        for before in (True, False):
            state, count = loop.run(), [0]

            def dying(write, *args, before=before, crash_at=crash_at, count=count):
                count[0] += 1
                if before and count[0] == crash_at + 1:
                    raise Crash
                write(*args)
                if not before and count[0] == crash_at + 1:
                    raise Crash

            with monkeypatch.context() as patch:
                patch.setattr(table_module.Table, "write", lambda *a: dying(table_write, *a))
                patch.setattr(Store, "put", lambda *a: dying(store_put, *a))
                try:
                    loop.release(state)
                    survived = True
                except Crash:
                    pass
            assert loop.resolves()
            assert loop.release(state) == "promoted"  # the step retried brings it to its end
            assert loop.resolves()
            loop.registry.free("flights", guard_of(state))
        if survived:
            break
    assert survived and crash_at >= 5
    versions = [v.version for v in loop.registry.versions("flights")]
    assert versions == list(range(len(versions), 0, -1)), "one version a run, none skipped"


def test_law_5_a_run_that_lost_the_lock_registers_and_releases_nothing(loop):
    loop.next()
    state = loop.run()
    stale = state | {"version": loop.step(register, "register", state)}
    loop.registry.free("flights", guard_of(state))
    other = loop.run()
    with pytest.raises(StaleLock):
        loop.step(release, "start", stale)
    loop.registry.free("flights", guard_of(other))
    state = loop.run()
    loop.registry.free("flights", guard_of(state))
    loop.run()
    with pytest.raises(StaleLock):
        loop.step(register, "register", state)
    assert loop.registry.route("flights").champion.version == 1


def test_a_rollback_by_hand_during_the_bake_ends_the_run(loop):
    loop.next()
    loop.next(1)
    state = loop.run()
    state = state | {"version": loop.step(register, "register", state)}
    state = state | {"release": loop.step(release, "start", state, 3)}
    route = loop.registry.route("flights")
    audit = Audit(at(3.1), "rollback", "ann", "odd numbers", 2, 2)
    loop.registry.move_route("flights", route, promoted(route, route.champion, at(3.1)), audit)
    assert loop.step(release, "observe", state, 4)["status"] == "rolled_back"
    assert loop.resolves()


def test_a_person_who_takes_it_back_during_a_look_is_heard_when_it_is_tried_again(
    loop, monkeypatch
):
    loop.next()
    state = loop.run()
    state = state | {"version": loop.step(register, "register", state)}
    state = state | {"release": loop.step(release, "start", state, 3)}
    seen = release.evidence

    def meanwhile(*args):
        route = loop.registry.route("flights")
        audit = Audit(at(3.9), "abort", "ann", "odd numbers", 2, 1)
        loop.registry.move_route("flights", route, withdrawn(route, at(3.9)), audit)
        return seen(*args)

    monkeypatch.setattr(release, "evidence", meanwhile)
    with pytest.raises(RouteMoved):  # which the state machine retries
        loop.step(release, "observe", state, 4)
    step = loop.step(release, "observe", state, 4)
    assert (step["status"], step["reason"]) == ("rolled_back", "ann: odd numbers")


def test_a_release_is_judged_by_the_terms_it_began_with(loop, monkeypatch, tmp_path):
    """A spec deployed meanwhile holds for the next release."""
    loop.next()
    state = loop.run()
    state = state | {"version": loop.step(register, "register", state)}
    state = state | {"release": loop.step(release, "start", state, 3)}
    path = tmp_path / "other.json"
    changed = spec().model_copy(update={"release": Release(strategy="all_at_once", bake="0s")})
    path.write_bytes(changed.to_json())
    monkeypatch.setattr(release, "spec_path", lambda: path)
    assert loop.step(release, "observe", state, 3.01)["status"] == "baking"


def test_queries_find_what_was_released(loop):
    loop.next()

    def get(path, method="GET"):
        event = {"rawPath": path, "requestContext": {"http": {"method": method}}}
        response = query.handler(event, CONTEXT)
        return response["statusCode"], json.loads(response["body"])

    (model,) = get("/models")[1]["models"]
    assert (model["model"], model["route"]["champion"]) == ("flights", 1)
    status, body = get("/models/flights/versions/1")
    assert status == 200 and body["version"] == 1
    status, body = get("/models/trains/predict", "POST")
    assert (status, body["type"]) == (404, "urn:driftloop:error:NotFound")
    assert "flights" in body["detail"]
