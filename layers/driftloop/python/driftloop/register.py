"""A candidate that passed becomes a version: its record, and its audit entry. Pure.

The version's number is the next free one; the registry writes it only under the run's lock, once
a run, so that registering again gives the same version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from driftloop import keys
from driftloop.ledger import Audit
from driftloop.spec import Spec
from driftloop.version import Version

State = Mapping[str, Any]


def version(
    state: State,
    number: int,
    spec: Spec,
    code: str,
    environment: Mapping[str, Any],
    now: str,
) -> Version:
    """The record of version ``number``, from what the run carries. ``now`` as ISO moment.

    environment: the candidate's own, as training wrote it. Raises KeyError if the run lacks a
    step before this one.
    """
    candidate, frame, verdict = state["candidate"], state["frame"], state["verdict"]
    return Version(
        version=number,
        candidate=candidate["candidate"],
        plan_key=candidate["plan_key"],
        plan_sha256=candidate["plan_sha256"],
        run=state["run"],
        cause=state["cause"],
        dataset=frame["dataset"],
        frame=frame["frame"],
        estimator=candidate["estimator"],
        params=dict(candidate["params"]),
        metrics=dict(verdict["metrics"]),
        champion_at_birth=verdict["champion"],
        created=now,
        spec_digest=hashlib.sha256(spec.to_json()).hexdigest(),
        code_digest=code,
        card_key=card_key(spec.name, candidate["candidate"], number),
        baseline_key=candidate["baseline_key"],
        environment=dict(environment),
        distance=verdict.get("distance"),
    )


def card_key(model: str, candidate: str, number: int, form: str = "json") -> str:
    """Two versions may share a candidate's artefacts, bytes being equal; never a card."""
    return keys.version_artefact(model, candidate, f"card.{number:06d}.{form}")


def audit(found: Version, state: State) -> Audit:
    passed = [r["text"] for r in state["verdict"]["reasons"] if r["passed"]]
    return Audit(
        time=found.created,
        action="register",
        actor="register",
        reason="; ".join(passed) or "it passed the gates",
        before=found.champion_at_birth,
        after=found.version,
        run=found.run,
    )
