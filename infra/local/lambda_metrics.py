"""Lambda's own metrics: every invocation counts, those that fail twice.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .lambdas import InvokeResult
    from .server import Local


def install(local: "Local") -> None:
    """Count what ``local.lambdas`` runs."""

    def count(function: Any, result: "InvokeResult", milliseconds: float) -> None:
        dimensions = [{"Name": "FunctionName", "Value": function.function_name}]
        values = {
            "Invocations": (1.0, "Count"),
            "Errors": (float(result.error is not None), "Count"),
            "Duration": (milliseconds, "Milliseconds"),
        }
        local.metrics.put(
            "AWS/Lambda",
            [
                {"MetricName": name, "Dimensions": dimensions, "Value": value, "Unit": unit}
                for name, (value, unit) in values.items()
            ],
        )

    local.lambdas.on_end.append(count)
