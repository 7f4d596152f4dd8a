"""A Map in distributed mode: what its role needs, and how many items may fail.

https://docs.aws.amazon.com/step-functions/latest/dg/maprun-fail-threshold.html
https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html

moto reads the items and runs each of them; it leaves a failed one's output empty and goes on. Here
a Map Run with more failures than tolerated (none, if nothing is said) fails by the name AWS gives
it. The role starts and describes executions of its own machine, which no request on the wire shows.
"""

from typing import TYPE_CHECKING, Any

from moto.stepfunctions.parser.api import HistoryEventType, MapRunFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import (
    StatesErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.distributed_iteration_component import (  # noqa: E501
    DistributedIterationComponent,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from .originals import original

if TYPE_CHECKING:
    from .server import Local

_EXCEEDED = StatesErrorNameType.StatesExceedToleratedFailureThreshold


def install(local: "Local") -> None:
    run = original(DistributedIterationComponent, "_map_run")

    def judged(component: Any, env: Any, eval_input: Any) -> None:
        record, role = eval_input.map_run_record, env.aws_execution_details.role_arn
        machine, _, label = record.map_state_machine_arn.rpartition("/")
        children = f"{machine.replace(':stateMachine:', ':execution:')}/{label}"
        local.record(role, "states:StartExecution", machine)
        local.record(role, "states:DescribeExecution", f"{children}:child")
        total = len(env.stack[-1])
        run(component, env, eval_input)
        if _too_many(record, total):
            env.stack.pop()
            raise FailureEventException(_failure(env))

    DistributedIterationComponent._map_run = judged


def _too_many(record: Any, total: int) -> bool:
    """Whichever limit is set (above 0) counts; when none is, the first failure is too many."""
    failed = record.item_counter.failed.get() + record.item_counter.timed_out.get()
    limits = [
        (failed, record.tolerated_failure_count),
        (100 * failed / max(1, total), record.tolerated_failure_percentage),
    ]
    return any(found > limit for found, limit in [x for x in limits if x[1]] or limits)


def _failure(env: Any) -> FailureEvent:
    return FailureEvent(
        env=env,
        error_name=StatesErrorName(typ=_EXCEEDED),
        event_type=HistoryEventType.MapRunFailed,
        event_details=EventDetails(
            mapRunFailedEventDetails=MapRunFailedEventDetails(
                error=_EXCEEDED.to_name(),
                cause="The specified tolerated failure threshold was exceeded",
            )
        ),
    )
