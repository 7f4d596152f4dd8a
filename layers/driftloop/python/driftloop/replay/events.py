"""Events as AWS raises them, for :func:`driftloop.event.read`. Times are epoch milliseconds."""

from __future__ import annotations

from typing import Any

from driftloop.run import Run
from driftloop.uploads.intake import Intake
from driftloop.when import from_ms, iso

Raw = dict[str, Any]


def uploaded(intake: Intake, now: int) -> Raw:
    """What an upload brought has come; the reason why a run may start."""
    thing = {"key": intake.origin["key"], "size": 0, "version-id": intake.name}
    detail = {"bucket": {"name": intake.origin["bucket"]}, "object": thing}
    return _raw("aws.s3", "Object Created", now, detail)


def alarmed(model: str, cause: str, now: int) -> Raw:
    """An alarm goes off."""
    state = {"value": "ALARM", "timestamp": iso(from_ms(now))}
    detail = {"alarmName": f"driftloop-replay-{model}-{cause}", "state": state}
    return _raw("aws.cloudwatch", "CloudWatch Alarm State Change", now, detail)


def scheduled(rule: str, now: int) -> Raw:
    """``rule``: sweep or retrain."""
    return _raw("aws.events", "Scheduled Event", now, {}) | {"resources": [f"rule/replay-{rule}"]}


def ended(run: Run, status: str, now: int, **said: str) -> Raw:
    """A run's execution has ended; ``said``: its output, or error and cause."""
    detail = {"name": run.run, "status": status, "executionArn": run.run, **said}
    return _raw("aws.states", "Step Functions Execution Status Change", now, detail)


def _raw(source: str, kind: str, now: int, detail: Raw) -> Raw:
    time = iso(from_ms(now))
    return {"source": source, "detail-type": kind, "time": time, "id": time, "detail": detail}
