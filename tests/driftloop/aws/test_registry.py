"""Conditional writes, against moto."""

from dataclasses import replace

import pytest

from driftloop import keys
from driftloop.arrived import Arrived
from driftloop.aws.table import Write
from driftloop.errors import NotFound, RegistryConflict, RouteMoved, StaleLock, Unavailable
from driftloop.ledger import Audit, Entry
from driftloop.route import Served, challenged, first, promoted
from driftloop.run import Guard, Run
from driftloop.version import Version
from driftloop.watch import Watch

NOW = "2013-02-01T00:00:00.000Z"
AUDIT = Audit(NOW, "register", "upload-1", "it passed the gates", None, 1, "upload-1")


def version(number=1, **more):
    return Version(
        version=number, candidate="c", plan_key=f"k{number}", plan_sha256=f"s{number}",
        run="upload-1", cause="upload", dataset="d", frame="f", estimator="e", created=NOW,
        spec_digest="x", code_digest="y", baseline_key="b", metrics={"log_loss": 0.25}, **more,
    )  # fmt: skip


def served(number=1):
    return Served(number, f"k{number}", f"s{number}")


@pytest.fixture
def guard(registry):
    registry.table.write(
        *(
            Write("Put", keys.model_pk("m"), keys.run_sk(name), Run(name, "upload").to_item())
            for name in ("upload-1", "upload-2")
        )
    )
    return registry.acquire("m", "upload-1", NOW)


def test_law_5_one_holder_and_a_growing_fence(registry, guard):
    with pytest.raises(RegistryConflict, match="another run"):
        registry.acquire("m", "upload-2", NOW)
    assert registry.free("m", Guard("upload-2", 1)) is False
    assert registry.free("m", guard) is True
    assert registry.acquire("m", "upload-2", NOW) == Guard("upload-2", 2)
    assert registry.free("m", guard) is False


def test_law_5_a_stale_holders_writes_are_refused(registry, guard):
    registry.free("m", guard)
    registry.acquire("m", "upload-2", NOW)
    with pytest.raises(StaleLock):
        registry.register("m", version(), guard, AUDIT)
    with pytest.raises(StaleLock):
        registry.register("m", version(), replace(guard, run="upload-2"), AUDIT)
    assert list(registry.versions("m")) == [] and list(registry.audit("m")) == []
    with pytest.raises(StaleLock):
        registry.move_route("m", None, first(served(), NOW), AUDIT, guard)
    assert registry.route("m") is None


def test_a_version_is_written_once_with_its_run_and_its_audit(registry, guard):
    registry.register("m", version(), guard, AUDIT)
    assert registry.version("m", 1) == version()
    assert registry.run("m", "upload-1").version == 1
    assert list(registry.audit("m")) == [AUDIT]
    with pytest.raises(RegistryConflict, match="registered already"):
        registry.register("m", version(2), guard, AUDIT)
    registry.free("m", guard)
    other = registry.acquire("m", "upload-2", NOW)
    with pytest.raises(RegistryConflict, match="taken"):
        registry.register("m", version(), other, AUDIT)
    registry.register("m", version(2), other, AUDIT)
    assert [v.version for v in registry.versions("m")] == [2, 1]
    assert [v.version for v in registry.versions("m", limit=1)] == [2]


def test_law_6_a_route_names_only_registered_versions(registry, guard):
    with pytest.raises(NotFound, match="version 1"):
        registry.move_route("m", None, first(served(), NOW), AUDIT, guard)
    registry.register("m", version(), guard, AUDIT)
    with pytest.raises(NotFound):
        registry.move_route("m", None, first(Served(1, "k1", "swapped"), NOW), AUDIT, guard)
    registry.move_route("m", None, first(served(), NOW), AUDIT, guard)
    with pytest.raises(NotFound, match="version 2"):
        route = registry.route("m")
        registry.move_route("m", route, challenged(route, served(2), 0.1, NOW), AUDIT, guard)
    assert registry.route("m") == first(served(), NOW)
    assert registry.routes() == {"m": first(served(), NOW)}


def test_a_route_that_moved_meanwhile_is_not_overwritten(registry, guard):
    registry.register("m", version(), guard, AUDIT)
    start = first(served(), NOW)
    registry.move_route("m", None, start, AUDIT, guard)
    registry.move_route("m", start, promoted(start, served(), NOW), AUDIT)
    for old in (None, start):
        with pytest.raises(RouteMoved):
            registry.move_route("m", old, promoted(start, served(), "later"), AUDIT)


def test_the_ledger_reads_newest_first_and_between_moments(registry):
    for hour in range(6):
        time = f"2013-02-01T0{hour}:00:00.000Z"
        registry.append_ledger("m", Entry(time, "sweep", "recorded", "Well.", "e", f"d{hour}"))
    assert [e.delivery for e in registry.ledger("m", limit=2)] == ["d5", "d4"]
    between = registry.ledger("m", since="2013-02-01T02", until="2013-02-01T04")
    assert [e.delivery for e in between] == ["d3", "d2"]


def test_no_such_thing(registry):
    with pytest.raises(NotFound, match="version 9"):
        registry.version("m", 9)
    with pytest.raises(NotFound, match="run x"):
        registry.run("m", "x")
    assert registry.route("m") is None and registry.lock("m").holder is None


def test_a_missing_table_is_not_found_and_a_silent_one_unavailable(aws, monkeypatch):
    from driftloop.aws.registry import Registry

    with pytest.raises(NotFound):
        Registry("elsewhere").route("m")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    from driftloop.aws import clients

    monkeypatch.setattr(clients, "RETRIES", {"mode": "standard", "total_max_attempts": 1})
    with pytest.raises(Unavailable):
        Registry("registry").route("m")


def test_the_watch_is_of_the_newest_window_of_who_is_champion(registry):
    """An old call that comes late changes nothing; after a roll-back the older version's counts."""

    def said(number, day, ratio=0.5):
        return Watch(number, f"2013-02-{day:02d}", "", drift_ratio=ratio, features=["x"])

    assert registry.watch("m") is None
    for new, holds in (
        (said(2, 5), True),
        (said(2, 4), False),
        (said(2, 5, 1.5), True),  # restated
        (said(1, 3), True),
        (said(1, 2), False),
    ):
        registry.put_watch("m", new)
        assert (registry.watch("m") == new) is holds


def test_the_newest_arrival_of_rows_holds_whatever_is_said_last(registry):
    assert registry.arrived("toy") is None
    for hour, rows in ((3, 10), (1, 500), (3, 7), (5, 1)):
        registry.arrive("toy", Arrived(f"2013-02-01T0{hour}:00:00.000Z", rows))
    assert registry.arrived("toy") == Arrived("2013-02-01T05:00:00.000Z", 1)
    assert registry.arrived("other") is None


def test_an_arrival_that_comes_between_is_not_overwritten_by_an_older_one(registry, monkeypatch):
    """Two files at once: who reads first may write last."""
    read, newer = registry.arrived, Arrived("2013-02-01T05:00:00.000Z", 1)

    def slow(model):
        found = read(model)
        monkeypatch.setattr(registry, "arrived", read)
        registry.arrive(model, newer)
        return found

    monkeypatch.setattr(registry, "arrived", slow)
    registry.arrive("toy", Arrived("2013-02-01T03:00:00.000Z", 9))
    assert registry.arrived("toy") == newer
