"""What a model's dashboard shows, from what callers meet down to what it costs.

Metrics are those that the functions print (EMF) and Lambda's own. Features and versions come and
go, so theirs are searched for
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html).
Cost is Lambda's ``Duration`` times memory times a price, function by function: a series without
data then hides no other, as it would in a sum.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from driftloop.emf import namespace
from infra.function import Function
from infra.settings import Environment

Row = list[cloudwatch.IWidget]
Metric = cloudwatch.IMetric

_FIVE = Duration.minutes(5)
_HOUR = Duration.hours(1)
_THIRD = 8  # of the grid's 24 columns

NOT_IN_IT = """**Cost** is compute alone: what Lambda measured, times memory, times \
{price:.10f} USD per GB-second (`gb_second_usd` in cdk.json). Left out: requests, cold starts' \
initialisation, the API, workflow steps, storage, the registry, logs, metrics and alarms, tracing, \
keys, SageMaker jobs, and what is free."""


class Metrics:
    """The model's metrics, as the functions print them (EMF)."""

    def __init__(self, env: str, model: str) -> None:
        self._namespace, self._model = namespace(env), model

    def of(
        self, name: str, statistic: str, period: Duration = _FIVE, label: str | None = None
    ) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=self._namespace, metric_name=name, dimensions_map={"model": self._model},
            statistic=statistic, period=period, label=label,
        )  # fmt: skip

    def by(self, dimension: str, name: str, statistic: str) -> cloudwatch.SearchExpression:
        """A line for each value of ``dimension``, named by it."""
        schema = f'{{"{self._namespace}",model,{dimension}}}'
        term = f'MetricName="{name}" model="{self._model}"'
        return cloudwatch.SearchExpression(
            expression=f"SEARCH('{schema} {term}', '{statistic}')",
            label=f"${{PROP('Dim.{dimension}')}}", period=_HOUR,
        )  # fmt: skip


def widgets(
    metrics: Metrics,
    environment: Environment,
    alarms: Sequence[cloudwatch.IAlarm],
    functions: Sequence[Function],
) -> list[Row]:
    """Row by row."""
    of, by = metrics.of, metrics.by
    one, slow = _line(1, "alarm"), _line(environment.latency_ms, "alarm")
    outcomes = {"RunsStarted": "started", "RunsReleased": "released", "RunsRejected": "rejected",
                "RunsFailed": "failed", "RolledBack": "rolled back"}  # fmt: skip
    return [
        [cloudwatch.AlarmStatusWidget(alarms=list(alarms), title="Alarms", width=24, height=2)],
        [
            _graph("Traffic", of("Requests", "Sum"), of("Rows", "Sum")),
            _graph("Latency, ms", of("Latency", "p50"), of("Latency", "p99"), line=slow),
            _graph("Errors", of("Errors", "Sum", label="ours (5xx)"),
                   of("BadRequests", "Sum", label="callers' (4xx)")),
        ],
        [
            _graph("Drift ÷ threshold", of("DriftRatio", "Maximum", _HOUR), line=one),
            _graph("Drift ÷ threshold, by feature", by("feature", "FeatureDriftRatio", "Maximum"),
                   line=one),
            _graph("Loss ÷ what is allowed", of("PerformanceRatio", "Maximum", _HOUR), line=one),
        ],
        [
            _graph("Performance", of("RealisedPerformance", "Average", _HOUR, "realised"),
                   of("EstimatedPerformance", "Average", _HOUR, "estimated, without labels"),
                   of("PromisedPerformance", "Average", _HOUR, "at training")),
            _graph("Rows a window", of("WindowRows", "Maximum", _HOUR, "served"),
                   of("LabelledRows", "Maximum", _HOUR, "labelled")),
            _graph("Requests by version, while two share them", by("version", "Requests", "Sum")),
        ],
        [
            _graph("Runs", *(of(name, "Sum", _HOUR, label) for name, label in outcomes.items())),
            _graph("Version that answers, when it changed",
                   of("ChampionVersion", "Maximum", _HOUR)),
            _graph("Cost by function, USD an hour", *_costs(environment, functions), stacked=True),
        ],
        [
            _graph("Functions that failed", *(_errors(f) for f in functions)),
            cloudwatch.TextWidget(
                markdown=NOT_IN_IT.format(price=environment.gb_second_usd), width=16, height=6,
                background=cloudwatch.TextWidgetBackground.TRANSPARENT,
            )
        ],
    ]  # fmt: skip


def _costs(environment: Environment, functions: Sequence[Function]) -> list[Metric]:
    found: list[Metric] = []
    for function in functions:
        usd = environment.gb_second_usd * function.stage.memory / 1024 / 1000  # a millisecond's
        spent = function.function.metric_duration(statistic="Sum", period=_HOUR)
        name = function.stage.name
        found.append(
            cloudwatch.MathExpression(
                expression=f"{name}*{usd:.12f}", using_metrics={name: spent}, label=name,
                period=_HOUR,
            )
        )  # fmt: skip
    return found


def _errors(function: Function) -> Metric:
    return function.function.metric_errors(period=_FIVE, label=function.stage.name)


def _line(value: float, label: str) -> cloudwatch.HorizontalAnnotation:
    return cloudwatch.HorizontalAnnotation(value=value, label=label, color=cloudwatch.Color.RED)


def _graph(
    title: str,
    *metrics: Metric,
    line: cloudwatch.HorizontalAnnotation | None = None,
    stacked: bool = False,
) -> cloudwatch.GraphWidget:
    """A third of the dashboard's width; ``line``: where an alarm stands."""
    return cloudwatch.GraphWidget(
        title=title, left=list(metrics), left_annotations=[line] if line else [], width=_THIRD,
        left_y_axis=cloudwatch.YAxisProps(min=0), stacked=stacked,
    )  # fmt: skip
