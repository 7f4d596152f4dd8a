"""`driftloop retrain`: ask for a run, as any event does; the loop decides."""

from __future__ import annotations

import json as jsonlib

from driftloop.aws.clients import client
from infra.cli import console
from infra.cli.fault import Fault
from infra.cli.follow import Follow, Outcome
from infra.cli.rollback import actor
from infra.cli.stacks import Deployment


def retrain(
    deployment: Deployment, model: str, *, reason: str, wait: bool, json: bool
) -> Outcome | None:
    deployment.model(model)
    detail = {"model": model, "reason": reason, "actor": actor()}
    answer = client("events").put_events(
        Entries=[{"Source": "driftloop", "DetailType": "Run Requested",
                  "Detail": jsonlib.dumps(detail)}]
    )  # fmt: skip
    if answer.get("FailedEntryCount"):
        raise Fault(f"the request was not taken: {answer['Entries'][0].get('ErrorMessage')}")
    if not wait:
        console.out.print(f"asked for a run of {model}; `driftloop ledger {model}` has the answer")
        return None
    outcome = Follow(deployment, model, quiet=json).request(answer["Entries"][0]["EventId"])
    if json:
        console.as_json(outcome)
    return outcome
