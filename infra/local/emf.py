"""Log lines in the embedded metric format become metrics.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.exceptions import InvalidParameterValue

if TYPE_CHECKING:
    from .server import Local

log = logging.getLogger(__name__)
_MOST_VALUES = 100
_MOST_DIMENSIONS = 30


class InvalidDocument(ValueError):
    """The line says that it carries metrics, but not as the format asks."""


def metrics_of(message: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """(namespace, PutMetricData entries) of one line; nothing for a line of any other kind.

    Raises :class:`InvalidDocument`.
    """
    if '"_aws"' not in message:
        return
    try:
        document = json.loads(message)
    except ValueError:
        return
    if not isinstance(document, dict) or "CloudWatchMetrics" not in document.get("_aws", {}):
        return
    stamp = document["_aws"].get("Timestamp")
    if isinstance(stamp, bool) or not isinstance(stamp, int):
        raise InvalidDocument(f"_aws.Timestamp must be milliseconds, not {stamp!r}")
    time = datetime.fromtimestamp(stamp / 1000, UTC)
    for directive in document["_aws"]["CloudWatchMetrics"]:
        entries = [
            {
                "MetricName": metric["Name"],
                "Dimensions": _dimensions(document, names),
                "Timestamp": time,
                "Unit": metric.get("Unit", "None"),
                "Values": _values(document, metric["Name"]),
            }
            for metric in directive["Metrics"]
            for names in directive.get("Dimensions") or [[]]
        ]
        yield directive["Namespace"], entries


def _dimensions(document: dict[str, Any], names: list[str]) -> list[dict[str, str]]:
    if len(names) > _MOST_DIMENSIONS:
        raise InvalidDocument(f"more than {_MOST_DIMENSIONS} dimensions: {names}")
    absent = [name for name in names if not isinstance(document.get(name), str)]
    if absent:
        raise InvalidDocument(f"dimensions without a text: {absent}")
    return [{"Name": name, "Value": document[name]} for name in names]


def _values(document: dict[str, Any], name: str) -> list[float]:
    found = document.get(name)
    values = found if isinstance(found, list) else [found]
    numbers = [
        float(value)
        for value in values
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    if not 1 <= len(numbers) == len(values) <= _MOST_VALUES:
        raise InvalidDocument(f"{name} must be a number or 1 to {_MOST_VALUES} of them: {found!r}")
    return numbers


def install(local: "Local") -> None:
    """Read every log line that arrives."""

    def read(group: str, stream: str, events: list[tuple[int, str]]) -> None:
        for _, message in events:
            try:
                for namespace, entries in metrics_of(message):
                    local.metrics.put(namespace, entries)
            except (InvalidDocument, InvalidParameterValue, KeyError) as error:
                # CloudWatch drops such a line and counts it; here people should also hear of it
                log.warning("metrics of a line in %s are refused: %s", group, error)

    local.on_log.append(read)
