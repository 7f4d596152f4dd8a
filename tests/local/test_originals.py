"""moto is itself again once an embedded AWS has stopped."""

from moto.awslambda.models import LambdaFunction
from moto.events.models import EventsBackend
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

from infra.local import Local


def test_what_an_embedded_aws_replaced_is_put_back() -> None:
    owners = ((LambdaFunction, "invoke"), (EventsBackend, "put_events"),
              (ExecutionWorker, "start"))  # fmt: skip
    before = [getattr(owner, name) for owner, name in owners]
    with Local(speed=0):
        during = [getattr(owner, name) for owner, name in owners]
    assert all(a is not b for a, b in zip(before, during, strict=True))
    assert [getattr(owner, name) for owner, name in owners] == before
