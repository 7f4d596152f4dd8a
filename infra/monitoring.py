"""What is watched: capture subscription, metrics, alarms.

Which metric, which threshold and what happens are three things: :class:`Metrics` names the first;
drift and performance are ratios to the version's own thresholds, so theirs is 1.0 for ever; what
happens is the topic (people) and the alarm rule in :mod:`infra.triggers` (the loop). Of drift and
performance people hear from the loop itself, which knows what is wrong and what it does about it.
:mod:`infra.dashboard` draws all of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_logs_destinations as destinations
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra import dashboard
from infra.dashboard import Metrics
from infra.function import Function
from infra.settings import Settings
from infra.shared import Shared

CAPTURE_LINES = "{ $.capture = 1 }"
_MINUTE = Duration.minutes(1)
_FIVE = Duration.minutes(5)
_IGNORE = cloudwatch.TreatMissingData.IGNORE
_QUIET = cloudwatch.TreatMissingData.NOT_BREACHING


class Monitoring(Construct):
    """``alarms``: the model's own, in the order they are shown."""

    def __init__(self, scope: Construct, settings: Settings, shared: Shared, model: str) -> None:
        super().__init__(scope, "Monitoring")
        self._name = f"driftloop-{settings.name}-{model}"
        self._metrics = Metrics(settings.name, model)
        self.tell = actions.SnsAction(sns.Topic.from_topic_arn(self, "Topic", shared.topic_arn))
        self.alarms: list[cloudwatch.Alarm] = []
        of = self._metrics.of
        # The monitor speaks once a window; between two words the last one stands.
        self._alarm("drift", of("DriftRatio", "Maximum", _MINUTE), 1.0, _IGNORE,
                    "what is served no longer looks like what was learned from")  # fmt: skip
        self._alarm("performance", of("PerformanceRatio", "Maximum", _MINUTE), 1.0, _IGNORE,
                    "realised loss is beyond what was promised at training")  # fmt: skip
        for alarm in (
            self._alarm("errors", of("Errors", "Sum"), 0, _QUIET, "predict answered with a 5xx"),
            self._alarm("latency", of("Latency", "p99"), settings.environment.latency_ms, _QUIET,
                        "the slowest hundredth of predictions takes too long"),
        ):  # fmt: skip
            self._told(alarm)

    def capture(self, predict: Function, capture: Function) -> None:
        """Lead predict's capture lines, and only those, to the capture function."""
        logs.SubscriptionFilter(
            self, "Capture", log_group=predict.log_group,
            destination=destinations.LambdaDestination(capture.live()),
            filter_pattern=logs.FilterPattern.literal(CAPTURE_LINES),
        )  # fmt: skip

    def undelivered(self, dead_letters: sqs.IQueue) -> None:
        """Tell of events that reached no function, or that one refused for good."""
        waiting = dead_letters.metric_approximate_number_of_messages_visible(period=_FIVE)
        self._told(
            self._alarm("dead-letters", waiting, 0, _QUIET, "events wait in the dead-letter queue")
        )

    def draw(self, settings: Settings, functions: Sequence[Function]) -> None:
        """The dashboard, once all of it is there."""
        widgets = dashboard.widgets(self._metrics, settings.environment, self.alarms, functions)
        cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=self._name, widgets=widgets,
            default_interval=Duration.days(14),
        )  # fmt: skip

    def _told(self, alarm: cloudwatch.Alarm) -> None:
        alarm.add_alarm_action(self.tell)
        alarm.add_ok_action(self.tell)

    def _alarm(
        self,
        cause: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        missing: cloudwatch.TreatMissingData,
        description: str,
    ) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self, cause.capitalize(), alarm_name=f"{self._name}-{cause}",
            alarm_description=f"{self._name}: {description}",
            metric=metric, threshold=threshold, evaluation_periods=1, datapoints_to_alarm=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=missing,
        )  # fmt: skip
        self.alarms.append(alarm)
        return alarm
