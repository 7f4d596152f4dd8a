"""The state machine of runs: its definition filled in, and what its role may do."""

from __future__ import annotations

from constructs import Construct

from driftloop import keys
from driftloop.spec import Spec
from infra import sagemaker
from infra.definition import State, definition, task
from infra.function import Function
from infra.machine import Machine
from infra.permissions import items, service
from infra.settings import Settings
from infra.shared import Shared


class Workflow(Machine):
    """One model's runs."""

    def __init__(
        self,
        scope: Construct,
        settings: Settings,
        shared: Shared,
        spec: Spec,
        steps: dict[str, Function],
    ) -> None:
        name = f"driftloop-{settings.name}-{spec.name}"
        does = "runs its functions and checks its lock"
        super().__init__(scope, "Workflow", settings, shared, name, does, steps.values())
        self.role.add_to_policy(items(shared, ("dynamodb:UpdateItem",), spec.name))
        self.let_map(spec.name)
        substitutions = {
            "UpdateItem": service("dynamodb:updateItem"),
            "GetObject": service("s3:getObject"),
            "Store": shared.store,
            "Table": shared.table,
            "Lock": keys.model_pk(spec.name),
            **{stage.capitalize(): f.version.function_arn for stage, f in steps.items()},
        }
        train = steps["train"].stage
        if spec.training.compute == "sagemaker":
            training = sagemaker.states(settings, train.timeout)
            substitutions |= sagemaker.branch(self, settings, shared, spec, self.role)
        else:
            training = _on_lambda(train.timeout)
        timeouts = {stage: f.stage.timeout for stage, f in steps.items()}
        self.define(definition(timeouts, training), substitutions)


def _on_lambda(timeout: int) -> dict[str, State]:
    return {"Train": task("train", "train", timeout, ResultPath="$.candidate", Next="Validate")}
