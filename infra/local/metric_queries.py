"""Reading metrics back: GetMetricStatistics and GetMetricData over aligned periods.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.exceptions import InvalidParameterValue
from moto.cloudwatch.models import CloudWatchBackend

from .metrics import STATISTICS, Metrics, Sample, check_statistic, series, statistic

if TYPE_CHECKING:
    from .server import Local


@dataclass
class Datapoint:
    """One period of GetMetricStatistics, by the names moto's answer is made from."""

    timestamp: datetime
    unit: str
    sample_count: float | None = None
    sum: float | None = None
    average: float | None = None
    minimum: float | None = None
    maximum: float | None = None


_FIELDS = dict(
    zip(STATISTICS, ("sample_count", "sum", "average", "minimum", "maximum"), strict=True)
)


def statistics(
    metrics: Metrics,
    key: tuple[str, str, list[dict[str, str]]],
    start: datetime,
    end: datetime,
    period: int,
    names: list[str],
    unit: str | None,
) -> list[Datapoint]:
    points = []
    for begin, samples in _periods(metrics, key, start, end, period, unit):
        values = {_FIELDS[name]: statistic(samples, name) for name in names}
        points.append(Datapoint(begin, samples[0].unit or "None", **values))
    return points


def data(
    metrics: Metrics, query: Mapping[str, Any], start: datetime, end: datetime, descending: bool
) -> dict[str, Any]:
    """One entry of MetricDataResults."""
    if "MetricStat" not in query:
        raise InvalidParameterValue(
            f"Metric math is not supported here: {query.get('Expression')} ({query['Id']})."
        )
    stat = query["MetricStat"]
    metric = stat["Metric"]
    key = (metric["Namespace"], metric["MetricName"], metric.get("Dimensions") or [])
    check_statistic(stat["Stat"])
    found = [
        (begin, value)
        for begin, samples in _periods(
            metrics, key, start, end, int(stat["Period"]), stat.get("Unit")
        )
        if (value := statistic(samples, stat["Stat"])) is not None
    ]
    found.sort(reverse=descending)
    return {
        "id": query["Id"],
        "label": query.get("Label") or metric["MetricName"],
        "timestamps": [begin for begin, _ in found],
        "values": [value for _, value in found],
        "status_code": "Complete",
    }


def _periods(
    metrics: Metrics,
    key: tuple[str, str, list[dict[str, str]]],
    start: datetime,
    end: datetime,
    period: int,
    unit: str | None,
) -> Iterator[tuple[datetime, list[Sample]]]:
    start, end = (t.replace(tzinfo=t.tzinfo or UTC) for t in (start, end))
    if start >= end:
        raise InvalidParameterValue("The parameter StartTime must be less than EndTime.")
    for begin, samples in metrics.periods(series(*key), start, end, period):
        wanted = [s for s in samples if unit is None or s.unit == unit]
        if wanted:
            yield begin, wanted


def install(local: "Local") -> None:
    """Answer both reading actions from ``local.metrics``."""

    def get_metric_statistics(
        backend: CloudWatchBackend,
        namespace: str,
        metric_name: str,
        start_time: datetime,
        end_time: datetime,
        period: int,
        stats: list[str],
        dimensions: list[dict[str, str]],
        unit: str | None = None,
    ) -> list[Datapoint]:
        key = (namespace, metric_name, dimensions)
        return statistics(local.metrics, key, start_time, end_time, period, stats, unit)

    def get_metric_data(
        backend: CloudWatchBackend,
        queries: list[dict[str, Any]],
        start_time: datetime,
        end_time: datetime,
        scan_by: str = "TimestampAscending",
    ) -> list[dict[str, Any]]:
        descending = scan_by == "TimestampDescending"
        return [
            data(local.metrics, query, start_time, end_time, descending)
            for query in queries
            if query.get("ReturnData", True)
        ]

    CloudWatchBackend.get_metric_statistics = get_metric_statistics
    CloudWatchBackend.get_metric_data = get_metric_data
