"""CloudWatch metrics: samples kept by the clock, statistics over aligned periods.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html

moto keeps samples but stamps them with the machine's time, aligns no periods, takes infinities
and samples of any age. Every sample that is taken is told to the hooks ``local.on_metric``.
"""

import bisect
import math
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.exceptions import InvalidParameterValue
from moto.cloudwatch.models import CloudWatchBackend, MetricDatum, cloudwatch_backends

from .originals import original

if TYPE_CHECKING:
    from .server import Local

_LARGEST = 2.0**360
_OLDEST, _NEWEST = timedelta(weeks=2), timedelta(hours=2)
STATISTICS = ("SampleCount", "Sum", "Average", "Minimum", "Maximum")
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")


@dataclass(frozen=True, order=True)
class Series:
    """What one metric is: the dimensions belong to its name."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Sample:
    """``values`` are (value, count); a statistic set has none, only its four numbers."""

    time: datetime
    count: float
    total: float
    low: float
    high: float
    values: tuple[tuple[float, float], ...] = ()
    unit: str | None = None


def series(namespace: str, name: str, dimensions: Iterable[Mapping[str, str]] | None) -> Series:
    """A series from its wire form, a list of ``{"Name": …, "Value": …}``."""
    pairs = sorted((d["Name"], d["Value"]) for d in dimensions or ())
    return Series(namespace, name, tuple(pairs))


def floor(when: datetime, period: int) -> datetime:
    """The beginning of the period of ``period`` seconds ``when`` lies in."""
    return datetime.fromtimestamp(when.timestamp() // period * period, UTC)


def statistic(samples: list[Sample], name: str) -> float | None:
    """One of :data:`STATISTICS` or a percentile (``p99``); None where it cannot be had."""
    if not samples:
        return None
    count, total = sum(s.count for s in samples), math.fsum(s.total for s in samples)
    if name == "SampleCount":
        return count
    if name == "Sum":
        return total
    if name == "Average":
        return total / count if count else None
    if name == "Minimum":
        return min(s.low for s in samples)
    if name == "Maximum":
        return max(s.high for s in samples)
    return _percentile(samples, float(check_statistic(name)))


def check_statistic(name: str) -> str:
    """The number of a percentile; raises for what is neither that nor a plain statistic."""
    if name in STATISTICS:
        return ""
    found = _PERCENTILE.fullmatch(name)
    if not found:
        raise InvalidParameterValue(f"The statistic {name} is not supported here.")
    return found[1]


def _percentile(samples: list[Sample], percent: float) -> float | None:
    values = sorted(value for s in samples for value in s.values)
    if not values or any(not s.values for s in samples):
        return None  # CloudWatch cannot take percentiles of statistic sets either
    wanted = sum(count for _, count in values) * percent / 100
    seen = 0.0
    for value, count in values:
        seen += count
        if seen >= wanted:
            return value
    return values[-1][0]


class Metrics:
    """All samples of the account, by series, in order of time."""

    def __init__(self, local: "Local") -> None:
        self.local = local
        self._samples: dict[Series, list[Sample]] = {}
        self._lock = threading.Lock()

    def put(self, namespace: str, data: list[dict[str, Any]]) -> None:
        """PutMetricData: all or nothing; raises ``InvalidParameterValue`` as CloudWatch does."""
        now = self.local.clock.now()
        taken = [
            (
                series(namespace, datum["MetricName"], datum.get("Dimensions")),
                _sample(datum, n, now),
            )
            for n, datum in enumerate(data, 1)
        ]
        for key, sample in taken:
            with self._lock:
                if key not in self._samples:
                    self._samples[key] = []
                    self._list(key, sample)
                bisect.insort(self._samples[key], sample, key=lambda s: s.time)
        for key, sample in taken:
            for hook in self.local.on_metric:
                hook(key, sample)

    def _list(self, key: Series, sample: Sample) -> None:
        # moto's ListMetrics searches its own samples: one of each series is enough for it
        backend = cloudwatch_backends[self.local.account][self.local.region]
        dimensions = [{"Name": n, "Value": v} for n, v in key.dimensions]
        backend.metric_data.append(
            MetricDatum(key.namespace, key.name, sample.high, dimensions, sample.time, sample.unit)
        )

    def between(self, key: Series, start: datetime, end: datetime) -> list[Sample]:
        """The samples with ``start <= time < end``."""
        with self._lock:
            found = self._samples.get(key, [])
            first = bisect.bisect_left(found, start, key=lambda s: s.time)
            last = bisect.bisect_left(found, end, key=lambda s: s.time)
            return found[first:last]

    def periods(
        self, key: Series, start: datetime, end: datetime, period: int
    ) -> list[tuple[datetime, list[Sample]]]:
        """The samples by aligned period, oldest first, empty periods left out."""
        groups: dict[datetime, list[Sample]] = {}
        for sample in self.between(key, floor(start, period), end):
            groups.setdefault(floor(sample.time, period), []).append(sample)
        return sorted(groups.items())


def _sample(datum: dict[str, Any], number: int, now: datetime) -> Sample:
    field = f"MetricData.member.{number}"
    time = _aware(datum["Timestamp"]) if datum.get("Timestamp") else now
    if not now - _OLDEST <= time <= now + _NEWEST:
        raise InvalidParameterValue(
            f"The parameter {field}.Timestamp must specify a time within the past two weeks and "
            f"no more than two hours in the future: {time.isoformat()} at {now.isoformat()}."
        )
    unit = datum.get("Unit")
    if datum.get("StatisticValues"):
        given = datum["StatisticValues"]
        count, total, low, high = (
            _finite(given[name], f"{field}.StatisticValues.{name}")
            for name in ("SampleCount", "Sum", "Minimum", "Maximum")
        )
        return Sample(time, count, total, low, high, (), unit)
    values = [_finite(v, f"{field}.Values") for v in datum.get("Values") or []]
    counts = [_finite(c, f"{field}.Counts") for c in datum.get("Counts") or [1.0] * len(values)]
    if not values:
        if "Value" not in datum:
            raise InvalidParameterValue(f"The parameter {field}.Value is required.")
        values, counts = [_finite(datum["Value"], f"{field}.Value")], [1.0]
    pairs = tuple(zip(values, counts, strict=True))
    total = math.fsum(value * count for value, count in pairs)
    return Sample(time, sum(counts), total, min(values), max(values), pairs, unit)


def _finite(value: Any, field: str) -> float:
    number = float(value)
    if not math.isfinite(number) or abs(number) > _LARGEST:
        raise InvalidParameterValue(f"The value {value} for parameter {field} is invalid.")
    return number


def _aware(when: datetime) -> datetime:
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when


def install(local: "Local") -> None:
    """Put this store under moto's CloudWatch; ``local.metrics`` is it."""
    local.metrics = metrics = Metrics(local)
    moto_checks = original(CloudWatchBackend, "_validate_parameters_put_metric_data")

    def put_metric_data(
        backend: CloudWatchBackend, namespace: str, metric_data: list[dict[str, Any]]
    ) -> None:
        for number, datum in enumerate(metric_data, 1):
            moto_checks(backend, datum, number)
        metrics.put(namespace, metric_data)

    CloudWatchBackend.put_metric_data = put_metric_data
