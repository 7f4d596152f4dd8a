"""Subscription filters: log lines that match go on to a function, in batches, after the fact.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
https://docs.aws.amazon.com/lambda/latest/dg/services-cloudwatchlogs.html

moto sends every line to every filter, at once. Here lines are gathered for a moment, as
CloudWatch does, so that a burst of requests becomes few invocations.
"""

import base64
import gzip
import itertools
import json
import logging
import threading
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from moto.awslambda.utils import get_backend as lambda_backend
from moto.logs.exceptions import InvalidParameterException, ResourceNotFoundException
from moto.logs.models import LogsBackend, LogStream, SubscriptionFilter, logs_backends

from .background import in_background
from .log_pattern import InvalidFilterPattern, compile_pattern
from .originals import original
from .service_access import refusal

if TYPE_CHECKING:
    from .server import Local

log = logging.getLogger(__name__)
SERVICE = "logs.amazonaws.com"
_GATHER_SECONDS = 0.5  # real time; CloudWatch gathers for seconds
_LARGEST_PAYLOAD = 256 * 1024  # of an asynchronous invocation
_Line = tuple[int, str]


class Subscriptions:
    """Lines on their way, by filter and stream."""

    def __init__(self, local: "Local") -> None:
        self.local = local
        self._waiting: dict[tuple[str, str, str], list[_Line]] = defaultdict(list)
        self._lock = threading.Lock()
        self._ids = itertools.count(1)

    def on_log(self, group: str, stream: str, events: list[_Line]) -> None:
        found = logs_backends[self.local.account][self.local.region].groups.get(group)
        for chosen in list(found.subscription_filters.values()) if found else []:
            accepts = compile_pattern(chosen.filter_pattern or "")
            lines = [(moment, message) for moment, message in events if accepts(message)]
            if lines:
                self._add((group, chosen.name, stream), lines)

    def _add(self, key: tuple[str, str, str], lines: list[_Line]) -> None:
        with self._lock:
            first = not self._waiting[key]
            self._waiting[key].extend(lines)
        if first:
            in_background(self.local.clock, lambda: self._deliver(key), f"log filter {key[1]}")

    def _deliver(self, key: tuple[str, str, str]) -> None:
        if self.local.clock.speed:  # while the clock stands, nothing more comes by waiting
            time.sleep(_GATHER_SECONDS)
        with self._lock:
            lines = self._waiting.pop(key, [])
        group, name, stream = key
        filters = logs_backends[self.local.account][self.local.region].groups
        chosen = filters[group].subscription_filters.get(name) if group in filters else None
        if chosen is None:
            return
        reason = self._refusal(chosen)
        if reason:
            log.error("%d lines of %s are not delivered: %s", len(lines), group, reason)
            return
        events = [
            {"id": f"{next(self._ids):056d}", "timestamp": moment, "message": message}
            for moment, message in lines
        ]
        for batch in batches(self.local.account, group, stream, name, events):
            self.local.invoke(chosen.destination_arn, batch, asynchronous=True, caller=SERVICE)

    def _refusal(self, chosen: SubscriptionFilter) -> str | None:
        arn = log_group_arn(self.local, chosen.log_group_name) + ":*"
        return refusal(self.local, SERVICE, chosen.destination_arn, arn)


def log_group_arn(local: "Local", name: str) -> str:
    return f"arn:aws:logs:{local.region}:{local.account}:log-group:{name}"


def batches(
    owner: str, group: str, stream: str, name: str, events: list[dict[str, Any]]
) -> list[bytes]:
    """The payloads for ``events``, halved until each fits into an invocation."""
    message = {
        "messageType": "DATA_MESSAGE",
        "owner": owner,
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": [name],
        "logEvents": events,
    }
    packed = base64.b64encode(gzip.compress(json.dumps(message).encode(), 1, mtime=0)).decode()
    payload = json.dumps({"awslogs": {"data": packed}}).encode()
    if len(payload) <= _LARGEST_PAYLOAD or len(events) == 1:
        return [payload]
    half = len(events) // 2
    return [
        *batches(owner, group, stream, name, events[:half]),
        *batches(owner, group, stream, name, events[half:]),
    ]


def install(local: "Local") -> None:
    """Follow ``local.on_log`` instead of moto's own delivery."""
    subscriptions = Subscriptions(local)
    local.on_log.append(subscriptions.on_log)
    moto_put = original(LogsBackend, "put_subscription_filter")

    def put_subscription_filter(
        backend: LogsBackend,
        log_group_name: str,
        filter_name: str,
        filter_pattern: str,
        destination_arn: str,
        role_arn: str | None,
    ) -> None:
        if log_group_name not in backend.groups:
            raise ResourceNotFoundException("The specified log group does not exist.")
        try:
            compile_pattern(filter_pattern or "")
        except InvalidFilterPattern as error:
            raise InvalidParameterException(f"Invalid filter pattern: {error}") from error
        if destination_arn.split(":")[2] != "lambda":
            raise InvalidParameterException(
                f"Destinations other than Lambda are not supported here: {destination_arn}"
            )
        lambda_backend(local.account, local.region).get_function(destination_arn)
        arn = log_group_arn(local, log_group_name) + ":*"
        reason = refusal(local, SERVICE, destination_arn, arn)
        if reason:
            raise InvalidParameterException(
                "Could not execute the lambda function. Make sure you have given CloudWatch Logs "
                f"permission to execute your function. ({reason})"
            )
        moto_put(
            backend, log_group_name, filter_name, filter_pattern, destination_arn, role_arn or ""
        )

    LogsBackend.put_subscription_filter = put_subscription_filter
    # what moto would send itself, filtered by nothing
    LogStream._send_log_events = lambda *args, **kwargs: None
