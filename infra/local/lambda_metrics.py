"""Lambda's own metrics: every invocation counts, those that fail twice.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .lambdas import InvokeResult
    from .server import Local


def install(local: "Local") -> None:
    """Count what ``local.lambdas`` runs."""
    run = local.lambdas._now

    def counted(function: Any, payload: bytes, request_id: str) -> "InvokeResult":
        began = time.perf_counter()
        result: InvokeResult = run(function, payload, request_id)
        duration = (time.perf_counter() - began) * 1000
        dimensions = [{"Name": "FunctionName", "Value": function.function_name}]
        values = {
            "Invocations": (1.0, "Count"),
            "Errors": (float(result.error is not None), "Count"),
            "Duration": (duration, "Milliseconds"),
        }
        local.metrics.put(
            "AWS/Lambda",
            [
                {"MetricName": name, "Dimensions": dimensions, "Value": value, "Unit": unit}
                for name, (value, unit) in values.items()
            ],
        )
        return result

    local.lambdas._now = counted
