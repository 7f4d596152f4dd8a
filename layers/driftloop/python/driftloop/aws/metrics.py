"""What CloudWatch knows: alarms that stand, and the traffic of a version."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from driftloop.aws.clients import client
from driftloop.aws.faults import translated
from driftloop.decision import Standing
from driftloop.emf import namespace
from driftloop.event import ALARMS
from driftloop.traffic import Traffic
from driftloop.when import iso

_POINTS = 1440  # most that one answer of GetMetricStatistics holds
_METRICS = {"drift": "DriftRatio", "performance": "PerformanceRatio"}


def standing(env: str, model: str, now: datetime, window: timedelta) -> tuple[Standing, ...]:
    """The model's drift and performance alarms that are in ALARM.

    ``window``: the monitor's; how finely the time of the last bad value is looked up.
    """
    names = {f"driftloop-{env}-{model}-{cause}": cause for cause in ALARMS}
    with translated(f"the alarms of {model}"):
        found = client("cloudwatch").describe_alarms(AlarmNames=list(names))
    period = 60 if window < timedelta(days=1) else 3600
    return tuple(
        Standing(
            cause=names[alarm["AlarmName"]],
            since=iso(alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"]),
            last_over=_last_over(env, model, names[alarm["AlarmName"]], now, period),
        )
        for alarm in found["MetricAlarms"]
        if alarm["StateValue"] == "ALARM"
    )


def _last_over(env: str, model: str, cause: str, now: datetime, period: int) -> str | None:
    """The end of the last period in which the cause's ratio was above 1."""
    points = _statistics(
        env, _METRICS[cause], {"model": model}, now - timedelta(seconds=period * (_POINTS - 1)),
        now, "Maximum", period,
    )  # fmt: skip
    over = [p["Timestamp"] for p in points if p["Maximum"] > 1.0]
    return iso(max(over) + timedelta(seconds=period)) if over else None


def traffic(env: str, model: str, version: int, since: datetime, until: datetime) -> Traffic:
    """What the endpoint reported of a version while it shared the requests.

    CloudWatch takes metrics from logs with a delay of up to a minute or two.
    """
    where = {"model": model, "version": str(version)}
    minutes = int((until - since).total_seconds() // 60) + 2
    period = 60 * max(1, -(-minutes // _POINTS))

    def sums(name: str) -> tuple[float, float]:
        points = _statistics(env, name, where, since, until + timedelta(minutes=1), "Sum", period)
        return sum(p["Sum"] for p in points), sum(p["SampleCount"] for p in points)

    latency, samples = sums("Latency")
    return Traffic(
        requests=int(sums("Requests")[0]),
        errors=int(sums("Errors")[0]),
        latency_ms=latency / samples if samples else None,
    )


def _statistics(
    env: str,
    name: str,
    dimensions: dict[str, str],
    start: datetime,
    end: datetime,
    statistic: str,
    period: int,
) -> list[dict[str, Any]]:
    with translated(f"metric {name}"):
        answer = client("cloudwatch").get_metric_statistics(
            Namespace=namespace(env),
            MetricName=name,
            Dimensions=[{"Name": k, "Value": v} for k, v in dimensions.items()],
            StartTime=start.replace(second=0, microsecond=0),
            EndTime=end,
            Period=period,
            Statistics=[statistic, "SampleCount"],
        )
    points: list[dict[str, Any]] = answer["Datapoints"]
    return points
