"""The events that may start, hold back or end a run, from EventBridge's form into ours. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from driftloop import keys
from driftloop.errors import BadRequest
from driftloop.ids import event_digest
from driftloop.uploads.upload import MARKER, role
from driftloop.when import iso, parse

Kind = Literal["upload", "alarm", "schedule", "sweep", "manual", "run-ended"]
ALARMS = ("drift", "performance")
_LONGEST = 500  # characters of what a person says; it is kept in several places


@dataclass(frozen=True)
class Event:
    """One delivery of one event.

    time: when it happened, as :func:`driftloop.when.iso`. delivery: names this delivery of it.
    digest: names the event; every delivery of it has the same. reason: what happened, a clause
    that continues "because". ignore: why it can only be recorded, or empty.
    """

    kind: Kind
    time: str
    delivery: str
    digest: str
    reason: str
    cause: str | None = None
    uploads: tuple[Mapping[str, Any], ...] = ()
    ignore: str = ""
    ended: RunEnd | None = None


@dataclass(frozen=True)
class RunEnd:
    """How an execution ended. ``output`` is its JSON text, ``cause`` what it said of ``error``."""

    run: str
    status: str
    output: str | None = None
    error: str | None = None
    cause: str | None = None

    @property
    def complete(self) -> bool:
        """Whether the event said it all; a large output is left out of it."""
        return bool(self.output if self.status == "SUCCEEDED" else self.error or self.cause)


def read(raw: Mapping[str, Any], delivery: str, model: str) -> Event:
    """Raises BadRequest for an event that no rule of ours should have sent."""
    try:
        source, kind = raw["source"], raw["detail-type"]
        time, detail = iso(parse(raw["time"])), raw["detail"]
        readers = {
            ("aws.s3", "Object Created"): _upload,
            ("aws.cloudwatch", "CloudWatch Alarm State Change"): _alarm,
            ("aws.states", "Step Functions Execution Status Change"): _run_ended,
            ("driftloop", "Run Requested"): _manual,
            ("aws.events", "Scheduled Event"): _scheduled,
        }
        facts = readers[source, kind](raw, detail, model, time)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        known = f"{raw.get('source')!r}, {raw.get('detail-type')!r}"
        raise BadRequest(f"no event the trigger understands ({known}): {error!r}") from error
    identity = facts.pop("identity")
    return Event(time=time, delivery=delivery, digest=event_digest(model, identity), **facts)


def _upload(
    raw: Mapping[str, Any], detail: Mapping[str, Any], model: str, time: str
) -> dict[str, Any]:
    bucket, thing = detail["bucket"]["name"], detail["object"]
    key, size = thing["key"], int(thing.get("size", 0))
    version = thing.get("version-id", "")
    name = key.removeprefix(keys.incoming(model))
    return {
        "kind": "upload",
        "cause": "upload",
        "identity": f"{bucket}/{quote(key)}/{version}",
        "reason": f"{name} was uploaded ({size:,} bytes)",
        "uploads": ({"bucket": bucket, "key": key, "version_id": version, "size": size},),
        "ignore": _no_upload(model, key),
    }


def _no_upload(model: str, key: str) -> str:
    """Why an object that has landed starts nothing, or ""."""
    if not key.startswith(keys.incoming(model)):
        return f"{key} is not under {keys.incoming(model)}"
    if key.endswith("/"):
        return f"{key} is a folder, not a file"
    folder, _, name = key.removeprefix(keys.incoming(model)).rpartition("/")
    match role(model, key):
        case "waiting":
            return f"{name} waits for {folder}/{MARKER}, or for a manifest that names it"
        case "stray":
            return f"{key} lies in no folder whose files it could speak for"
    return ""


def _alarm(
    raw: Mapping[str, Any], detail: Mapping[str, Any], model: str, time: str
) -> dict[str, Any]:
    name, state = detail["alarmName"], detail["state"]
    cause = name.rsplit("-", 1)[-1]
    value = state["value"]
    ignore = "" if value == "ALARM" else f"the alarm {name} went to {value}"
    if cause not in ALARMS:
        ignore = f"the alarm {name} is not one of drift or performance"
    return {
        "kind": "alarm",
        "cause": cause,
        "identity": f"{name}/{state['timestamp']}",
        "reason": f"the {cause} alarm went off",
        "ignore": ignore,
    }


def _manual(
    raw: Mapping[str, Any], detail: Mapping[str, Any], model: str, time: str
) -> dict[str, Any]:
    actor, said = (str(detail.get(k) or "")[:_LONGEST] for k in ("actor", "reason"))
    return {
        "kind": "manual",
        "cause": "manual",
        "identity": raw["id"],
        "reason": f"{actor or 'somebody'} asked for it" + (f": {said}" if said else ""),
    }


def _scheduled(
    raw: Mapping[str, Any], detail: Mapping[str, Any], model: str, time: str
) -> dict[str, Any]:
    rule = raw["resources"][0]
    if rule.endswith("-sweep"):
        return {"kind": "sweep", "identity": f"sweep/{time}", "reason": "it was time to sweep"}
    if rule.endswith("-retrain"):
        return {
            "kind": "schedule",
            "cause": "schedule",
            "identity": f"schedule/{time}",
            "reason": "the schedule said so",
        }
    raise ValueError(f"rule {rule}")


def _run_ended(
    raw: Mapping[str, Any], detail: Mapping[str, Any], model: str, time: str
) -> dict[str, Any]:
    run, status = detail["name"], detail["status"]
    return {
        "kind": "run-ended",
        "identity": f"{detail['executionArn']}/{status}",
        "reason": f"run {run} ended ({status})",
        "ignore": f"run {run} goes on" if status == "RUNNING" else "",
        "ended": RunEnd(
            run, status, detail.get("output"), detail.get("error"), detail.get("cause")
        ),
    }
