"""Files of rows to be scored: the state machine that does it, and what it says of itself."""

from __future__ import annotations

from collections.abc import Callable

from constructs import Construct

from infra.definition import State, each, task
from infra.function import Function
from infra.machine import Machine, machine_arn
from infra.permissions import service
from infra.settings import Settings
from infra.shared import Shared
from infra.stages import BATCH

_LONGEST = 2 * 86400  # seconds
_AT_ONCE = 4  # a new account runs ten functions at once: some must serve, some may train


class Batch(Machine):
    """Divide → score chunks side by side → merge; an execution is one version of one object."""

    def __init__(
        self,
        scope: Construct,
        settings: Settings,
        shared: Shared,
        model: str,
        make: Callable[..., Function],
    ) -> None:
        name = f"driftloop-{settings.name}-{model}-batch"
        piece = str(settings.environment.piece_bytes)
        self.function = make(
            BATCH, DRIFTLOOP_STATE_MACHINE=machine_arn(name), DRIFTLOOP_PIECE=piece
        )
        super().__init__(scope, "Batches", settings, shared, name, "scores files of rows",
                         [self.function])  # fmt: skip
        self.let_map(model)
        self.let_start(self.function.role)
        self.define(
            definition(BATCH.timeout),
            {
                "Batch": self.function.version.function_arn,
                "GetObject": service("s3:getObject"),
                "Store": shared.store,
            },
        )


def definition(timeout: int) -> State:
    """Bad rows are no failure, they are rejects; a file that cannot be scored ends the execution
    under the error's name. A chunk that was scored is not scored again, on a redrive neither."""
    score = task("batch", "score", timeout, End=True)
    score["Parameters"] = {"op": "score", "item.$": "$.item", "state.$": "$.state"}
    state = {"batch.$": "$.batch", "divided.$": "$.divided"}
    return {
        "Comment": "file → chunks → predictions",
        "StartAt": "Divide",
        "TimeoutSeconds": _LONGEST,
        "States": {
            "Divide": task("batch", "divide", timeout, ResultPath="$.divided", Next="Score"),
            "Score": each(
                "Chunks", "ScoreChunk", score, "$.divided.items", state,
                MaxConcurrency=_AT_ONCE, Next="Merge",
            ),
            "Merge": task("batch", "merge", timeout, ResultPath="$.report", Next="Done"),
            "Done": {"Type": "Succeed"},
            "Failed": {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "$.error.Cause"},
        },
    }  # fmt: skip
