"""An embedded AWS without its functions: services over moto, in this process, on a clock at rest.

Invocations and executions are written down instead of run, so that a test can look at exactly what
one service hands to the next.
"""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.local import (
    alarm_types,
    alarms,
    bucket_types,
    composite_alarms,
    emf,
    event_types,
    events,
    executions,
    log_subscriptions,
    log_types,
    messaging_types,
    metric_queries,
    metrics,
    originals,
    s3_events,
    schedules,
    topics,
)
from infra.local.clock import Clock

START = datetime(2013, 2, 1, tzinfo=UTC)
TYPES = (alarm_types, bucket_types, event_types, log_types, messaging_types)
SERVICES = (
    events,
    schedules,
    metrics,
    metric_queries,
    alarms,
    composite_alarms,
    emf,
    log_subscriptions,
    executions,
    s3_events,
    topics,
    bucket_types,
)


@cache
def client(name: str) -> Any:
    """One for all tests: making a client takes longer than most of them."""
    return boto3.client(
        name,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


class Services:
    """Has of ``Local`` what the services use; ``invoked`` and ``started`` say what they did."""

    account, region = "123456789012", "us-east-1"

    def __init__(self) -> None:
        self.clock = Clock(start=START, speed=0)
        self.on_log: list[Any] = []
        self.on_metric: list[Any] = []
        self.on_execution_end: list[Any] = []
        self.invoked: list[tuple[str, Any, str]] = []
        self.started: list[tuple[str, str, Any, str]] = []
        self.failures: list[Exception] = []
        self._lock = threading.Lock()
        for service in SERVICES:
            service.install(self)

    def invoke(self, arn: str, payload: bytes, *, asynchronous: bool, caller: str) -> None:
        with self._lock:
            if self.failures:
                raise self.failures.pop(0)
            self.invoked.append((arn, json.loads(payload), caller))

    def start_execution(self, arn: str, name: str, text: str, *, caller: str) -> None:
        self.started.append((arn, name, json.loads(text), caller))

    def settle(self, **delta: float) -> None:
        """Let the clock go on, and everything on its way arrive."""
        self.clock.advance(timedelta(**delta))

    def client(self, name: str) -> Any:
        return client(name)

    def function(self, name: str) -> str:
        """A function that nobody may invoke yet."""
        role = self.client("iam").create_role(
            RoleName=name, AssumeRolePolicyDocument="{}", Path="/"
        )
        made = self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=role["Role"]["Arn"],
            Handler="handler.handler",
            Code={"ZipFile": b"x"},
        )
        return str(made["FunctionArn"])

    def permit(self, arn: str, service: str, source: str) -> None:
        self.client("lambda").add_permission(
            FunctionName=arn,
            StatementId=f"s{len(source)}",
            Action="lambda:InvokeFunction",
            Principal=service,
            SourceArn=source,
        )


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        originals.remember()
        services = Services()
        yield services
        services.clock.stop()
        originals.put_back()
