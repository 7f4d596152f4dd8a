"""The state machine: its definition filled in, its role, its logs, who may start it."""

from __future__ import annotations

import json

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from driftloop import keys
from driftloop.spec import Spec
from infra import sagemaker
from infra.definition import State, definition, task
from infra.function import Function, log_group
from infra.permissions import allow, items, service, use_key
from infra.settings import Settings
from infra.shared import Shared


class Workflow(Construct):
    """One model's runs. Functions are called as published versions: a run obeys one code."""

    def __init__(
        self,
        scope: Construct,
        settings: Settings,
        shared: Shared,
        spec: Spec,
        steps: dict[str, Function],
    ) -> None:
        super().__init__(scope, "Workflow")
        name = f"driftloop-{settings.name}-{spec.name}"
        self.arn = f"arn:{Aws.PARTITION}:states:{Aws.REGION}:{Aws.ACCOUNT_ID}:stateMachine:{name}"
        self._executions = self.arn.replace(":stateMachine:", ":execution:") + ":*"
        role = iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
            description=f"{name}: runs its functions and checks its lock",
        )  # fmt: skip
        # Every version: a run in flight goes on with older ones after a deployment.
        role.add_to_policy(
            allow(
                ["lambda:InvokeFunction"], [f"{f.function.function_arn}:*" for f in steps.values()]
            )
        )
        role.add_to_policy(items(shared, ("dynamodb:UpdateItem",), spec.name))
        self._let_map(role, shared, spec.name)
        role.add_to_policy(use_key(shared, writes=True))
        for statement in (_LOG_DELIVERY, _TRACES):
            role.add_to_policy(allow(statement, ["*"]))

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
            substitutions |= sagemaker.branch(self, settings, shared, spec, role)
        else:
            training = _on_lambda(train.timeout)
        timeouts = {stage: f.stage.timeout for stage, f in steps.items()}
        machine = sfn.CfnStateMachine(
            self, "Machine", state_machine_name=name, state_machine_type="STANDARD",
            role_arn=role.role_arn,
            definition_string=json.dumps(definition(timeouts, training), indent=1),
            definition_substitutions=substitutions,
            tracing_configuration=sfn.CfnStateMachine.TracingConfigurationProperty(enabled=True),
            logging_configuration=self._logging(name, settings, shared),
        )  # fmt: skip
        machine.node.add_dependency(role)

    def let_start(self, role: iam.IGrantable) -> None:
        """Start runs, and ask how one of them ended."""
        principal = role.grant_principal
        principal.add_to_principal_policy(allow(["states:StartExecution"], [self.arn]))
        principal.add_to_principal_policy(allow(["states:DescribeExecution"], [self._executions]))

    def _let_map(self, role: iam.Role, shared: Shared, model: str) -> None:
        """A distributed Map reads its items, and runs each as an execution of its own machine."""
        lists = f"{shared.store_arn}/{keys.pieces(model, '*', 'items*')}"
        role.add_to_policy(allow(["s3:GetObject"], [lists]))
        role.add_to_policy(allow(["states:StartExecution"], [self.arn]))
        children = self._executions.replace(":*", "/*:*")  # AWS's example names the parent's own
        asks = ["states:DescribeExecution", "states:StopExecution", "states:RedriveExecution"]
        role.add_to_policy(allow(asks, [self._executions, children]))

    def _logging(
        self, name: str, settings: Settings, shared: Shared
    ) -> sfn.CfnStateMachine.LoggingConfigurationProperty:
        group = log_group(self, "Logs", f"/aws/vendedlogs/states/{name}", settings, shared.key_arn)
        destination = sfn.CfnStateMachine.LogDestinationProperty(
            cloud_watch_logs_log_group=sfn.CfnStateMachine.CloudWatchLogsLogGroupProperty(
                log_group_arn=group.log_group_arn
            )
        )
        return sfn.CfnStateMachine.LoggingConfigurationProperty(
            destinations=[destination], include_execution_data=True, level="ALL"
        )


def _on_lambda(timeout: int) -> dict[str, State]:
    return {"Train": task("train", "train", timeout, ResultPath="$.candidate", Next="Validate")}


# Neither takes a resource: log delivery and traces are the account's, not a group's.
_LOG_DELIVERY = [
    "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies", "logs:DescribeLogGroups",
]  # fmt: skip
_TRACES = [
    "xray:PutTraceSegments", "xray:PutTelemetryRecords",
    "xray:GetSamplingRules", "xray:GetSamplingTargets",
]  # fmt: skip
