"""moto is itself again once an embedded AWS has stopped."""

import boto3
from moto.awslambda.models import LambdaBackend
from moto.events.models import EventsBackend
from moto.logs.models import LogsBackend
from moto.sqs.models import sqs_backends

from infra.local import Local


def test_what_an_embedded_aws_replaced_is_put_back() -> None:
    owners = ((LambdaBackend, "invoke"), (EventsBackend, "put_events"),
              (LogsBackend, "put_subscription_filter"))  # fmt: skip
    before = [getattr(owner, name) for owner, name in owners]
    with Local(speed=0):
        during = [getattr(owner, name) for owner, name in owners]
    assert all(a is not b for a, b in zip(before, during, strict=True))
    assert [getattr(owner, name) for owner, name in owners] == before


def test_what_was_in_an_embedded_aws_is_forgotten() -> None:
    with Local(speed=0) as local:
        queue = {"service_name": "sqs", "region_name": "us-east-1", "endpoint_url": local.endpoint,
                 "aws_access_key_id": "test", "aws_secret_access_key": "test"}  # fmt: skip
        boto3.client(**queue).create_queue(QueueName="left")
        assert sqs_backends[local.account]["us-east-1"].queues
        account = local.account
    assert not sqs_backends[account]["us-east-1"].queues
