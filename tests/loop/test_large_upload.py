"""Uploads too large for one process, and uploads of many files, on the deployed loop."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from driftloop import keys
from infra.local.lambdas import InvokeResult
from tests.loop.conftest import Loop, as_csv, rows

Table = list[dict[str, str]]


def _fresh(name: str, first: int, last: int) -> Table:
    return [row | {"flight_id": f"{name}-{row['flight_id']}"} for row in rows()[first:last]]


def _ended(loop: Loop, name: str) -> dict[str, Any]:
    """The run, a day later: whatever it released has baked."""
    loop.local.clock.advance(timedelta(days=1))
    (run,) = [run for run in loop.runs("flights") if run["run"] == name]
    return run


def _report(loop: Loop, run: dict[str, Any]) -> dict[str, Any]:
    (upload,) = run["uploads"]
    for key in loop.stored("flights/quarantine/"):
        if key.endswith(".report.json"):
            found: dict[str, Any] = json.loads(loop.store(key))
            if found.get("upload", {}).get("version_id") == upload["version_id"]:
                return found
    raise AssertionError(f"no report of {upload['key']}")


@contextmanager
def _dying_once(loop: Loop, number: int) -> Iterator[list[Any]]:
    """The process that is the ``number``-th to check a piece dies; hears of all checks."""
    heard: list[Any] = []
    run = loop.local.lambdas.run
    died = {"errorType": "Runtime.ExitError", "errorMessage": "signal: killed"}

    def flaky(function: Any, payload: bytes, request_id: str, *more: Any, **how: Any) -> Any:
        event = json.loads(payload or b"{}")
        if isinstance(event, dict) and event.get("op") == "check":
            heard.append(event["piece"]["pieces"])
            if len(heard) == number:
                return InvokeResult(json.dumps(died).encode(), "Unhandled", request_id, "")
        return run(function, payload, request_id, *more, **how)

    loop.local.lambdas.run = flaky  # type: ignore[method-assign]
    try:
        yield heard
    finally:
        loop.local.lambdas.run = run  # type: ignore[method-assign]


def test_a_large_upload_is_checked_in_pieces_and_only_what_failed_again(loop: Loop) -> None:
    """law_1 and law_2, through the distributed Map: a bad cell and a repeat pieces apart."""
    table = _fresh("large", 12_000, 24_000)
    table[5] = table[5] | {"hour": "noon"}
    table[-1] = table[3]
    with _dying_once(loop, 2) as heard:
        started = loop.upload("flights", "large.csv.gz", gzip.compress(as_csv(table), mtime=0))
    run = _ended(loop, started["run"])
    assert run["status"] == "SUCCEEDED", run
    assert run["rows"] == {"accepted": 11_998, "rejected": 2}
    report = _report(loop, run)
    assert report["pieces"] >= 3 and len(report["parts"]) == report["pieces"]
    assert report["reasons"] == {"duplicate|flight_id": 1, "not_a_number|hour": 1}
    upload = report["profile"].split("/")[-1].removesuffix(".json")
    packed = loop.store(keys.quarantine("flights", upload))
    rejected = [json.loads(line) for line in gzip.decompress(packed).splitlines()]
    assert [(r["line"], r["rule"]) for r in rejected] == [
        (7, "not_a_number"), (12_001, "duplicate"),
    ]  # fmt: skip
    # Every piece was tried again, but what was there was not made again.
    assert len(heard) >= 2 * report["pieces"]
    s3 = loop.client("s3")
    for key in loop.stored(f"flights/pieces/{upload}/"):
        found = s3.list_object_versions(Bucket=loop.platform["StoreBucket"], Prefix=key)
        assert len([v for v in found["Versions"] if v["Key"] == key]) == 1, key


def test_many_files_are_one_upload_once_their_marker_is_there(loop: Loop) -> None:
    table = _fresh("many", 24_000, 24_600)
    before = len(loop.runs("flights"))
    loop.local.clock.advance(timedelta(days=1))
    loop.put("incoming/flights/day/part-0.csv", as_csv(table[:300]))
    loop.put("incoming/flights/day/part-1.csv.gz", gzip.compress(as_csv(table[300:] + table[:1])))
    assert len(loop.runs("flights")) == before
    told = [r["reason"] for r in loop.items("flights", "LEDGER#") if "day/_SUCCESS" in r["reason"]]
    assert len(told) == 2 and all("waits for day/_SUCCESS" in reason for reason in told)
    loop.put("incoming/flights/day/_SUCCESS", b"")
    (started,) = loop.runs("flights")[before:]
    run = _ended(loop, started["run"])
    assert run["status"] == "SUCCEEDED", run
    assert run["rows"] == {"accepted": 600, "rejected": 1}
    assert [f["key"].split("/")[-1] for f in _report(loop, run)["files"]] == [
        "part-0.csv", "part-1.csv.gz",
    ]  # fmt: skip


def test_a_large_upload_that_is_refused_is_kept_as_it_came(loop: Loop) -> None:
    table = [row | {"hour": "noon"} for row in _fresh("refused", 0, 6_000)]
    data = as_csv(table)
    run = loop.upload("flights", "refused.csv", data)
    assert (run["status"], run["error"]) == ("FAILED", "TooManyRejected")
    report = _report(loop, run)
    assert report["pieces"] >= 2 and report["rejected"] == 6_000 and report["parts"] == []
    assert loop.store(report["originals"][0]) == data
