"""THE Lambda construct: role, log group, layers, time-outs, alarm, published version."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy, Size, Tags
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.layers import RUNTIME, Layers, code, handler_of
from infra.permissions import statements
from infra.settings import Settings
from infra.shared import Shared
from infra.stages import Stage

# One thread each: the order of sums is then the same everywhere, and a vCPU is all there is.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# What a deployment that failed has made goes again: it would be in the way of the next one.
KEEP = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE


class Function(Construct):
    """One stage. The outside invokes ``live``, a run ``version``."""

    def __init__(
        self,
        scope: Construct,
        stage: Stage,
        *,
        settings: Settings,
        shared: Shared,
        layers: Layers,
        model: str | None = None,
        dead_letters: sqs.IQueue | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        super().__init__(scope, stage.name.capitalize())
        self.stage = stage
        owner = f"driftloop-{settings.name}" + (f"-{model}" if model else "")
        self.physical_name = f"{owner}-{stage.name}"
        self.log_group = log_group(
            self, "Logs", f"/driftloop/{settings.name}/{f'{model}/' if model else ''}{stage.name}",
            settings, shared.key_arn,
        )  # fmt: skip
        self.role = iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"{self.physical_name}: {stage.does}",
        )  # fmt: skip
        self.log_group.grant_write(self.role)
        for statement in statements(stage, shared, model):
            self.role.add_to_policy(statement)
        reserved = settings.environment.concurrency.get(stage.name)
        self.function = lambda_.Function(
            self, "Function",
            function_name=self.physical_name,
            description=f"driftloop: {stage.does}",
            runtime=RUNTIME, architecture=layers.architecture,
            code=code(handler_of(stage.name)), handler="handler.handler",
            layers=layers.of(stage), role=self.role, log_group=self.log_group,
            memory_size=stage.memory, timeout=Duration.seconds(stage.timeout),
            ephemeral_storage_size=Size.mebibytes(stage.disk) if stage.disk > 512 else None,
            tracing=lambda_.Tracing.ACTIVE,
            reserved_concurrent_executions=reserved,
            dead_letter_queue=dead_letters if stage.asynchronous else None,
            environment={
                **_environment(settings, shared, layers, model),
                **(_ONE_THREAD if "science" in stage.layers else {}),
                **(environment or {}),
            },
            # Runs in flight go on with the version they began with, however often one deploys.
            current_version_options=lambda_.VersionOptions(removal_policy=KEEP),
        )  # fmt: skip
        self.version = self.function.current_version
        Tags.of(self).add("driftloop:stage", stage.name)

    def live(self) -> lambda_.Alias:
        """A name that follows the newest version in one step, code, layers and settings alike."""
        found = self.node.try_find_child("Live")
        if isinstance(found, lambda_.Alias):
            return found
        return lambda_.Alias(self, "Live", alias_name="live", version=self.version)

    def failing(self, action: cloudwatch.IAlarmAction) -> None:
        """Tell when it fails. For what no run invokes: no run would show its failure."""
        alarm = cloudwatch.Alarm(
            self, "Failing", alarm_name=f"{self.physical_name}-failing",
            alarm_description=f"{self.physical_name}, which {self.stage.does}, raises errors",
            metric=self.function.metric_errors(period=Duration.minutes(5)),
            threshold=0, evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )  # fmt: skip
        alarm.add_alarm_action(action)


def log_group(
    scope: Construct, construct_id: str, name: str, settings: Settings, key_arn: str
) -> logs.LogGroup:
    """A log group of ours: encrypted, and forgotten after the setting's days."""
    group = logs.LogGroup(
        scope, construct_id, log_group_name=name, removal_policy=removal(settings)
    )
    resource = group.node.default_child
    assert isinstance(resource, logs.CfnLogGroup)
    resource.kms_key_id = key_arn
    resource.retention_in_days = settings.environment.log_days
    return group


def removal(settings: Settings) -> RemovalPolicy:
    return KEEP if settings.environment.removal == "retain" else RemovalPolicy.DESTROY


def _environment(
    settings: Settings, shared: Shared, layers: Layers, model: str | None
) -> dict[str, str]:
    return {
        **({"DRIFTLOOP_MODEL": model} if model else {}),
        "DRIFTLOOP_ENV": settings.name,
        "DRIFTLOOP_LANDING": shared.landing,
        "DRIFTLOOP_STORE": shared.store,
        "DRIFTLOOP_TABLE": shared.table,
        "DRIFTLOOP_TOPIC": shared.topic_arn,
        "DRIFTLOOP_CODE": layers.code_digest[:16],
        "POWERTOOLS_SERVICE_NAME": model or "driftloop",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }
