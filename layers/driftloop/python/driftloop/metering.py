"""What is counted of a request: metrics as log lines. Pure.

Under the model alone: what callers met. Under model and version as well while two versions share
the traffic, so that they can be compared.
"""

from __future__ import annotations

from driftloop import emf

Metrics = dict[str, tuple[float, str]]


def answered(
    env: str,
    model: str,
    ms: int,
    *,
    status: int,
    latency: float,
    rows: int,
    version: int | None = None,
    stale: int | None = None,
) -> str:
    """One request as its caller met it. latency: milliseconds; version: the one that answered, if
    it is compared with another; stale: seconds since the route was confirmed, if it is not."""
    dimensions, sets = {"model": model}, [["model"]]
    if version is not None:
        dimensions["version"] = str(version)
        sets.append(["model", "version"])
    values: Metrics = {
        "Requests": (1, "Count"),
        "Rows": (rows, "Count"),
        "Latency": (latency, "Milliseconds"),
        "Errors": (int(status >= 500), "Count"),
        "BadRequests": (int(400 <= status < 500), "Count"),
    }
    if stale is not None:
        values["StaleSeconds"] = (stale, "Seconds")
    return emf.line(env, ms, dimensions, values, sets)


def shadowed(env: str, model: str, ms: int, *, version: int, latency: float, rows: int) -> str:
    """One request that a challenger scored beside the version that answered it."""
    values: Metrics = {
        "Requests": (1, "Count"),
        "Rows": (rows, "Count"),
        "Latency": (latency, "Milliseconds"),
        "Errors": (0, "Count"),
    }
    return emf.line(env, ms, {"model": model, "version": str(version)}, values)


def failed(env: str, model: str, ms: int, *, version: int) -> str:
    """One request that a challenger should have scored and could not: its error alone."""
    values: Metrics = {"Requests": (1, "Count"), "Errors": (1, "Count")}
    return emf.line(env, ms, {"model": model, "version": str(version)}, values)
