"""One model's stack: functions, workflow, routes, rules and alarms, in the order of the flow."""

from __future__ import annotations

import hashlib
from typing import Any

from aws_cdk import CfnOutput, Duration, Stack, Tags
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from driftloop.spec import Spec
from infra import stages
from infra.batch import Batch
from infra.function import Function
from infra.layers import Layers
from infra.monitoring import Monitoring
from infra.serving import serve
from infra.settings import Settings
from infra.shared import Shared
from infra.stages import Stage
from infra.stream import Stream
from infra.triggers import Triggers
from infra.workflow import Workflow


class Loop(Stack):
    """Deployed, billed, permitted and deleted alone."""

    def __init__(self, scope: Construct, settings: Settings, spec: Spec, **stack: Any) -> None:
        super().__init__(scope, f"driftloop-{settings.name}-{spec.name}", **stack)
        shared = Shared.imported(settings)
        layers = Layers(self, "Layers", settings.environment, spec)
        dead_letters = sqs.Queue(
            self, "DeadLetters", encryption=sqs.QueueEncryption.SQS_MANAGED, enforce_ssl=True,
            retention_period=Duration.days(14),
        )  # fmt: skip

        made: list[Function] = []

        def function(stage: Stage, **environment: str) -> Function:
            made.append(Function(
                self, stage, settings=settings, shared=shared, layers=layers, model=spec.name,
                dead_letters=dead_letters, environment=environment,
            ))  # fmt: skip
            return made[-1]

        more = {"ingest": {"DRIFTLOOP_PIECE": str(settings.environment.piece_bytes)}}
        steps: dict[str, Function] = {
            stage.name: function(stage, **more.get(stage.name, {}))
            for stage in stages.workflow(spec.training.compute)
        }
        workflow = Workflow(self, settings, shared, spec, steps)
        trigger = function(stages.TRIGGER, DRIFTLOOP_STATE_MACHINE=workflow.arn)
        workflow.let_start(trigger.role)
        workflow.let_ask(trigger.role)

        predict, capture = function(stages.PREDICT), function(stages.CAPTURE)
        labels, monitor = function(stages.LABELS), function(stages.MONITOR)
        batches = Batch(self, settings, shared, spec.name, function)
        serve(self, settings, shared, spec.name, predict, labels)

        monitoring = Monitoring(self, settings, shared, spec.name)
        monitoring.capture(predict, capture)
        monitoring.undelivered(dead_letters)
        for watched in (trigger, predict, capture, labels, monitor, batches.function):
            watched.failing(monitoring.tell)

        if spec.stream:
            stream = Stream(self, settings, spec.name, spec.stream)
            answering = function(stages.STREAM, **stream.environment)
            stream.lead(answering)
            stream.watch(answering, capture, monitoring.tell)
            answering.failing(monitoring.tell)
            self._outputs(**stream.outputs)

        monitoring.draw(settings, made)

        triggers = Triggers(self, settings, shared, spec, dead_letters)
        triggers.start_runs(trigger, workflow.arn)
        triggers.join_labels(labels)
        triggers.score_batches(batches.function)
        triggers.watch(monitor, labels)

        self._outputs(
            Model=spec.name,
            StateMachineArn=workflow.arn,
            BatchMachineArn=batches.arn,
            TriggerFunction=trigger.function.function_name,
            PredictFunction=predict.function.function_name,
            MonitorFunction=monitor.function.function_name,
            PredictUrl=f"{shared.api_url}/models/{spec.name}/predict",
            SpecDigest=hashlib.sha256(spec.to_json()).hexdigest()[:16],
        )
        Tags.of(self).add("driftloop:model", spec.name)

    def _outputs(self, **values: str) -> None:
        for name, value in values.items():
            CfnOutput(self, name, value=value)
