"""A state machine: its role, its logs, who may start it, its distributed Maps."""

from __future__ import annotations

import json
from collections.abc import Iterable

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from driftloop import keys
from infra.definition import State
from infra.function import Function, log_group
from infra.permissions import allow, use_key
from infra.settings import Settings
from infra.shared import Shared


class Machine(Construct):
    """One state machine of one model, named ``name``. Functions are called as published versions:
    an execution obeys one code."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: Settings,
        shared: Shared,
        name: str,
        does: str,
        functions: Iterable[Function],
    ) -> None:
        super().__init__(scope, construct_id)
        self._name, self._settings, self._shared = name, settings, shared
        self.arn = machine_arn(name)
        self._executions = self.arn.replace(":stateMachine:", ":execution:") + ":*"
        self.role = iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
            description=f"{name}: {does}",
        )  # fmt: skip
        # Every version: an execution goes on with older ones after a deployment.
        invoked = [f"{f.function.function_arn}:*" for f in functions]
        self.role.add_to_policy(allow(["lambda:InvokeFunction"], invoked))
        self.role.add_to_policy(use_key(shared, writes=True))
        for statement in (_LOG_DELIVERY, _TRACES):
            self.role.add_to_policy(allow(statement, ["*"]))

    def define(self, definition: State, substitutions: dict[str, str]) -> None:
        """Make it."""
        machine = sfn.CfnStateMachine(
            self, "Machine", state_machine_name=self._name, state_machine_type="STANDARD",
            role_arn=self.role.role_arn,
            definition_string=json.dumps(definition, indent=1),
            definition_substitutions=substitutions,
            tracing_configuration=sfn.CfnStateMachine.TracingConfigurationProperty(enabled=True),
            logging_configuration=self._logging(),
        )  # fmt: skip
        machine.node.add_dependency(self.role)

    def let_start(self, role: iam.IGrantable) -> None:
        """Start executions."""
        may = allow(["states:StartExecution"], [self.arn])
        role.grant_principal.add_to_principal_policy(may)

    def let_ask(self, role: iam.IGrantable) -> None:
        """Ask how an execution ended."""
        may = allow(["states:DescribeExecution"], [self._executions])
        role.grant_principal.add_to_principal_policy(may)

    def let_map(self, model: str) -> None:
        """A distributed Map reads its items, and runs each as an execution of its own machine."""
        lists = f"{self._shared.store_arn}/{keys.pieces(model, '*', 'items*')}"
        self.role.add_to_policy(allow(["s3:GetObject"], [lists]))
        self.role.add_to_policy(allow(["states:StartExecution"], [self.arn]))
        children = self._executions.replace(":*", "/*:*")  # AWS's example names the parent's own
        asks = ["states:DescribeExecution", "states:StopExecution", "states:RedriveExecution"]
        self.role.add_to_policy(allow(asks, [self._executions, children]))

    def _logging(self) -> sfn.CfnStateMachine.LoggingConfigurationProperty:
        group = log_group(
            self, "Logs", f"/aws/vendedlogs/states/{self._name}", self._settings,
            self._shared.key_arn,
        )  # fmt: skip
        destination = sfn.CfnStateMachine.LogDestinationProperty(
            cloud_watch_logs_log_group=sfn.CfnStateMachine.CloudWatchLogsLogGroupProperty(
                log_group_arn=group.log_group_arn
            )
        )
        return sfn.CfnStateMachine.LoggingConfigurationProperty(
            destinations=[destination], include_execution_data=True, level="ALL"
        )


def machine_arn(name: str) -> str:
    """Known before there is the machine, to what it calls."""
    return f"arn:{Aws.PARTITION}:states:{Aws.REGION}:{Aws.ACCOUNT_ID}:stateMachine:{name}"


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
