"""law_9: every role has what its functions use, and a statement less is noticed."""

from __future__ import annotations

import copy
import json
from datetime import timedelta

import pytest

from infra.local.deployed import Deployed
from infra.local.permissions import check
from tests.loop.challengers import Desk, good
from tests.loop.conftest import Loop, as_csv, instance, rows


@pytest.fixture(scope="module")
def lived(loop: Loop) -> Loop:
    """Every station has worked at least once (other tests do most of it)."""
    loop.predict("flights", [instance(row) for row in rows(most=50)])
    loop.send("flights", [instance(row) for row in rows(most=2)])
    loop.put("labels/flights/some.csv", b"flight_id,late\n130101-UA1545-EWR,0\n")
    table = as_csv(rows(most=50))
    loop.upload("flights", "refused.csv", table.replace(b"UA", b""))
    loop.put("batch/flights/some.csv", table)
    loop.put("incoming/flights/lived/part-0.csv", table)
    loop.put("incoming/flights/lived/_SUCCESS", b"")
    loop.local.clock.advance(timedelta(days=2))
    given = {"op": "propose", "state": {"mode": "recalibrate", "frame": {"classes": ["0", "1"]}}}
    loop.client("lambda").invoke(
        FunctionName="driftloop-dev-flights-tune", Payload=json.dumps(given).encode()
    )
    desk = Desk(loop, "flights")
    plan = loop.store(loop.route("flights")["champion"]["key"])
    step = desk.start(desk.register(good(plan)))
    desk.send([instance(row) for row in rows(most=60)])
    desk.follow(step)
    return loop


def test_law_9_no_recorded_call_would_be_denied(lived: Loop) -> None:
    calls = lived.local.calls()
    roles = {call.caller.rpartition("/")[2] for call in calls if ":role/" in call.caller}
    assert len(roles) >= 13, sorted(roles)
    policies = Deployed(lived.local.account, lived.local.region).policies()
    assert [str(finding) for finding in check(calls, policies)] == []


def test_law_9_a_needed_statement_less_is_found(lived: Loop) -> None:
    """Each statement of the functions' own policies is taken away in turn. Those whose loss nobody
    notices are listed here with the reason; anything else is more than a role needs."""
    calls = lived.local.calls()
    whole = Deployed(lived.local.account, lived.local.region).policies()
    unnoticed: list[str] = []
    for role, documents in whole.identity.items():
        if "driftloop-dev-flights-" not in role or "sagemaker" in role:
            continue
        mine = [call for call in calls if call.caller == role]
        for name, document in documents.items():
            for number, statement in enumerate(document["Statement"]):
                less = copy.deepcopy(whole)
                del less.identity[role][name]["Statement"][number]  # type: ignore[attr-defined]
                if not check(mine, less):
                    unnoticed.append(f"{role.rpartition('/')[2]}: {statement['Action']}")
    unexplained = [line for line in unnoticed if not any(word in line for word in NOT_RECORDED)]
    assert not unexplained, "\n".join(unexplained)


# actions that AWS asks for and that no call on the wire shows
NOT_RECORDED = (
    "xray:",  # the tracing daemon's own
    "logs:CreateLogStream",  # the runtime's own
    "logs:PutLogEvents",
    "logs:CreateLogDelivery",  # what Step Functions wants for its log
    "sqs:SendMessage",  # only when an invocation fails for good
    "sns:Publish",  # only when there is something to tell
    "states:DescribeExecution",  # only when a sweep meets a lock whose run ended unheard
)
