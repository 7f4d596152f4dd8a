"""moto is itself again once an embedded AWS has stopped."""

from moto.awslambda.models import LambdaBackend
from moto.events.models import EventsBackend
from moto.logs.models import LogsBackend

from infra.local import Local


def test_what_an_embedded_aws_replaced_is_put_back() -> None:
    owners = ((LambdaBackend, "invoke"), (EventsBackend, "put_events"),
              (LogsBackend, "put_subscription_filter"))  # fmt: skip
    before = [getattr(owner, name) for owner, name in owners]
    with Local(speed=0):
        during = [getattr(owner, name) for owner, name in owners]
    assert all(a is not b for a, b in zip(before, during, strict=True))
    assert [getattr(owner, name) for owner, name in owners] == before
