"""Every event that may start a run, led to the trigger function; it decides, rules only carry.

Each target has a retry policy and the model's dead-letter queue.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from aws_cdk import Aws, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from driftloop import keys
from driftloop.spec import Spec
from infra.function import Function
from infra.settings import Settings
from infra.shared import Shared

_UNITS = (("day", 1440), ("hour", 60), ("minute", 1))  # in minutes


class Triggers(Construct):
    """Rules of one model, on the default bus."""

    def __init__(
        self,
        scope: Construct,
        settings: Settings,
        shared: Shared,
        spec: Spec,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, "Triggers")
        self._name = f"driftloop-{settings.name}-{spec.name}"
        self._shared, self._spec, self._dead_letters = shared, spec, dead_letters

    def start_runs(self, trigger: Function, state_machine_arn: str) -> None:
        """Upload, alarm, schedule, manual request, the end of a run, and the sweep."""
        spec, name = self._spec, self._name
        self._on("upload", trigger, **self._object_created(keys.incoming(spec.name)))
        self._on(
            "alarm", trigger, source=["aws.cloudwatch"],
            detail_type=["CloudWatch Alarm State Change"],
            detail={"alarmName": [f"{name}-drift", f"{name}-performance"],
                    "state": {"value": ["ALARM"]}},
        )  # fmt: skip
        self._on(
            "run-ended", trigger, source=["aws.states"],
            detail_type=["Step Functions Execution Status Change"],
            detail={"stateMachineArn": [state_machine_arn],
                    "status": ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]},
        )  # fmt: skip
        self._on(
            "manual", trigger, source=["driftloop"], detail_type=["Run Requested"],
            detail={"model": [spec.name]}, account=[Aws.ACCOUNT_ID],
        )  # fmt: skip
        if spec.retrain.schedule:
            self._every("retrain", spec.retrain.schedule, trigger)
        # Frees a lock whose run ended unheard, and notices an alarm that still stands.
        self._every("sweep", rate(spec.retrain.sweep), trigger)

    def join_labels(self, labels: Function) -> None:
        self._on("labels", labels, **self._object_created(keys.label_file(self._spec.name)))

    def score_batches(self, batch: Function) -> None:
        self._on("batch", batch, **self._object_created(keys.batch_file(self._spec.name)))

    def watch(self, monitor: Function, labels: Function) -> None:
        """As each window closes: judge it, and join what could not be joined before."""
        self._every("monitor", rate(self._spec.monitor.window), monitor, labels)

    def _object_created(self, prefix: str) -> dict[str, Any]:
        return {
            "source": ["aws.s3"],
            "detail_type": ["Object Created"],
            "detail": {
                "bucket": {"name": [self._shared.landing]},
                "object": {"key": [{"prefix": prefix}]},
            },
        }

    def _on(self, name: str, function: Function, **pattern: Any) -> None:
        rule = events.Rule(
            self, name.capitalize(), rule_name=f"{self._name}-{name}",
            event_pattern=events.EventPattern(**pattern),
        )  # fmt: skip
        self._lead(rule, function)

    def _every(self, name: str, expression: str, *functions: Function) -> None:
        rule = events.Rule(
            self, name.capitalize(), rule_name=f"{self._name}-{name}",
            schedule=events.Schedule.expression(expression),
        )  # fmt: skip
        for function in functions:
            self._lead(rule, function)

    def _lead(self, rule: events.Rule, function: Function) -> None:
        rule.add_target(
            targets.LambdaFunction(
                function.live(),
                dead_letter_queue=self._dead_letters,
                retry_attempts=24,
                max_event_age=Duration.hours(12),
            )
        )


def rate(every: timedelta) -> str:
    """EventBridge's words for it, at least a minute: ``rate(1 day)``, ``rate(90 minutes)``."""
    minutes = max(1, int(every.total_seconds() // 60))
    unit, size = next(u for u in _UNITS if minutes % u[1] == 0)
    count = minutes // size
    return f"rate({count} {unit}{'' if count == 1 else 's'})"
