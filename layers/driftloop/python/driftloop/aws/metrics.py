"""What CloudWatch knows: alarms that stand, and the traffic of a version."""

from __future__ import annotations

from datetime import datetime, timedelta

from driftloop.aws.clients import client
from driftloop.aws.faults import translated
from driftloop.decision import Standing
from driftloop.emf import namespace
from driftloop.event import ALARMS
from driftloop.traffic import Traffic
from driftloop.when import iso

_POINTS = 1440  # asked for at once, at most: the minutes of a day
_MINUTES_KEPT = 15 * 86400 - 3600  # seconds


def standing(env: str, model: str) -> tuple[Standing, ...]:
    """The model's drift and performance alarms that are in ALARM."""
    names = {f"driftloop-{env}-{model}-{cause}": cause for cause in ALARMS}
    with translated(f"the alarms of {model}"):
        found = client("cloudwatch").describe_alarms(AlarmNames=list(names))
    return tuple(
        Standing(
            cause=names[alarm["AlarmName"]],
            since=iso(alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"]),
        )
        for alarm in found["MetricAlarms"]
        if alarm["StateValue"] == "ALARM"
    )


def traffic(env: str, model: str, version: int | None, since: datetime, until: datetime) -> Traffic:
    """What the endpoint reported of a version while two of them shared the requests; None: of the
    model, whoever answered.

    CloudWatch counts by minutes: those that ``since`` and ``until`` lie in are taken whole. It
    takes metrics from logs with a delay of up to a minute or two, and keeps minutes for
    15 days, then five of them together. Percentiles are taken over days at most, and those of
    several days weighed by their requests.
    """
    where = {"model": model} | ({} if version is None else {"version": str(version)})
    start = since.replace(second=0, microsecond=0)
    end = until.replace(second=0, microsecond=0) + timedelta(minutes=1)
    span = int((end - start).total_seconds())
    fine = 60 * max(1, -(-span // 60 // _POINTS))
    if span > _MINUTES_KEPT:
        fine = -(-fine // 300) * 300
    coarse = min(86400, -(-span // fine) * fine)
    found = _data(
        env, where, start, end,
        {"requests": ("Requests", "Sum", fine), "errors": ("Errors", "Sum", fine),
         "timed": ("Latency", "SampleCount", coarse)}
        | {name: ("Latency", name, coarse) for name in ("p30", "p50", "p98", "p99")},
    )  # fmt: skip
    timed = sum(found["timed"].values())

    def weighed(name: str) -> float | None:
        parts = [value * found["timed"][when] for when, value in found[name].items()]
        return sum(parts) / timed if parts and timed else None

    return Traffic(
        requests=int(sum(found["requests"].values())),
        errors=int(sum(found["errors"].values())),
        timed=int(timed),
        median_ms=weighed("p50"),
        p99_ms=weighed("p99"),
        p30_ms=weighed("p30"),
        p98_ms=weighed("p98"),
    )


def _data(
    env: str,
    dimensions: dict[str, str],
    start: datetime,
    end: datetime,
    asked: dict[str, tuple[str, str, int]],
) -> dict[str, dict[datetime, float]]:
    """Points by name: ``asked`` is name → metric, statistic, period in seconds."""
    named = [{"Name": k, "Value": v} for k, v in dimensions.items()]
    queries = [
        {
            "Id": name,
            "MetricStat": {
                "Metric": {
                    "Namespace": namespace(env), "MetricName": metric, "Dimensions": named,
                },
                "Period": period,
                "Stat": statistic,
            },
        }
        for name, (metric, statistic, period) in asked.items()
    ]  # fmt: skip
    points: dict[str, dict[datetime, float]] = {name: {} for name in asked}
    with translated("the endpoint's metrics"):
        pages = client("cloudwatch").get_paginator("get_metric_data")
        for page in pages.paginate(MetricDataQueries=queries, StartTime=start, EndTime=end):
            for result in page["MetricDataResults"]:
                taken = zip(result["Timestamps"], result["Values"], strict=True)
                points[result["Id"]] |= dict(taken)
    return points
