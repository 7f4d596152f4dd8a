"""What is watched: capture subscription, metrics, alarms, dashboard.

Which metric, which threshold and what happens are three things: :class:`Metrics` names the first;
drift and performance are ratios to the version's own thresholds, so theirs is 1.0 for ever; what
happens is the topic (people) and the alarm rule in :mod:`infra.triggers` (the loop).
"""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_logs_destinations as destinations
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from driftloop.emf import namespace
from infra.function import Function
from infra.settings import Settings
from infra.shared import Shared

CAPTURE_LINES = "{ $.capture = 1 }"
_MINUTE = Duration.minutes(1)
_FIVE = Duration.minutes(5)


class Metrics:
    """The model's metrics, as the functions print them (EMF)."""

    def __init__(self, env: str, model: str) -> None:
        self._namespace, self._dimensions = namespace(env), {"model": model}

    def of(self, name: str, statistic: str, period: Duration = _FIVE) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=self._namespace, metric_name=name, dimensions_map=self._dimensions,
            statistic=statistic, period=period,
        )  # fmt: skip


class Monitoring(Construct):
    """Alarms and dashboard of one model."""

    def __init__(self, scope: Construct, settings: Settings, shared: Shared, model: str) -> None:
        super().__init__(scope, "Monitoring")
        self._name = f"driftloop-{settings.name}-{model}"
        self._metrics = Metrics(settings.name, model)
        topic = sns.Topic.from_topic_arn(self, "Topic", shared.topic_arn)
        self.tell = actions.SnsAction(topic)
        ignore = cloudwatch.TreatMissingData.IGNORE
        quiet = cloudwatch.TreatMissingData.NOT_BREACHING
        # The monitor speaks once a window; between two words the last one stands.
        self._alarm(
            "drift",
            self._metrics.of("DriftRatio", "Maximum", _MINUTE),
            1.0,
            ignore,
            "what is served no longer looks like what was learned from",
        )
        self._alarm(
            "performance",
            self._metrics.of("PerformanceRatio", "Maximum", _MINUTE),
            1.0,
            ignore,
            "realised loss is beyond what was promised at training",
        )
        self._alarm(
            "errors", self._metrics.of("Errors", "Sum"), 0, quiet, "predict answered with a 5xx"
        )
        self._alarm("latency", self._metrics.of("Latency", "p99"),
                    settings.environment.latency_ms, quiet,
                    "the slowest hundredth of predictions takes too long")  # fmt: skip
        self._dashboard()

    def capture(self, predict: Function, capture: Function) -> None:
        """Lead predict's capture lines, and only those, to the capture function."""
        logs.SubscriptionFilter(
            self, "Capture", log_group=predict.log_group,
            destination=destinations.LambdaDestination(capture.live()),
            filter_pattern=logs.FilterPattern.literal(CAPTURE_LINES),
        )  # fmt: skip

    def undelivered(self, dead_letters: sqs.IQueue) -> None:
        """Tell of events that reached no function, or that one refused for good."""
        self._alarm(
            "dead-letters",
            dead_letters.metric_approximate_number_of_messages_visible(period=_FIVE),
            0,
            cloudwatch.TreatMissingData.NOT_BREACHING,
            "events wait in the dead-letter queue",
        )

    def _alarm(
        self,
        cause: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        missing: cloudwatch.TreatMissingData,
        description: str,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self, cause.capitalize(), alarm_name=f"{self._name}-{cause}",
            alarm_description=f"{self._name}: {description}",
            metric=metric, threshold=threshold, evaluation_periods=1, datapoints_to_alarm=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=missing,
        )  # fmt: skip
        alarm.add_alarm_action(self.tell)
        alarm.add_ok_action(self.tell)

    def _dashboard(self) -> None:
        of, graph = self._metrics.of, _graph

        cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=self._name,
            widgets=[
                [
                    graph("Traffic", of("Requests", "Sum"), of("Rows", "Sum")),
                    graph("Latency, ms", of("Latency", "p50"), of("Latency", "p99")),
                    graph("Errors", of("Errors", "Sum"), of("BadRequests", "Sum")),
                ],
                [
                    graph("Drift ÷ threshold", of("DriftRatio", "Maximum"), ratio=True),
                    graph("Loss ÷ tolerance", of("PerformanceRatio", "Maximum"), ratio=True),
                    graph("Rows a window", of("WindowRows", "Maximum")),
                ],
            ],
        )  # fmt: skip


def _graph(title: str, *metrics: cloudwatch.Metric, ratio: bool = False) -> cloudwatch.GraphWidget:
    """A third of the dashboard's width; ``ratio`` draws the line at which the alarm stands."""
    one = cloudwatch.HorizontalAnnotation(value=1, label="alarm", color=cloudwatch.Color.RED)
    return cloudwatch.GraphWidget(
        title=title, left=list(metrics), left_annotations=[one] if ratio else [], width=8
    )
