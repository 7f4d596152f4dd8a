"""What an execution may not: carry too much, take a name that is taken, go on for ever.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html

A closed execution keeps its name for 90 days. The time-out of a state machine is one of the clock.
"""

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from moto.stepfunctions.exceptions import InvalidExecutionInput
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from .execution_work import Work
from .originals import original

if TYPE_CHECKING:
    from .server import Local

LARGEST_INPUT = 256 * 1024
KEPT = timedelta(days=90)


def install(local: "Local", work_of: Callable[[Any], Work]) -> None:
    _check_starts(local)
    _time_out(local, work_of)


def _check_starts(local: "Local") -> None:
    start = original(StepFunctionsParserBackend, "start_execution")
    one_at_a_time = threading.RLock()

    def checked(
        backend: Any, arn: str, name: Any = None, execution_input: Any = None, *rest: Any
    ) -> Any:
        text = execution_input or "{}"
        if len(text.encode()) > LARGEST_INPUT:
            raise InvalidExecutionInput(
                f"The input is larger than the {LARGEST_INPUT} bytes an execution may have."
            )
        name = name or str(uuid.uuid4())
        backend._validate_name(name)
        with one_at_a_time:
            executions = backend.describe_state_machine(arn).executions
            forgotten = local.clock.now() - KEPT
            executions[:] = [e for e in executions if not e.stop_date or e.stop_date > forgotten]
            return start(backend, arn, name, text, *rest)

    StepFunctionsParserBackend.start_execution = checked


def _time_out(local: "Local", work_of: Callable[[Any], Work]) -> None:
    run = original(Program, "eval")

    def timed(program: Any, env: Any) -> None:
        if program.timeout_seconds is None or env.is_frame():
            run(program, env)
            return

        def expire() -> None:
            env.set_timed_out()
            work_of(env).interrupt()
            for endpoint in list(env.callback_pool_manager._pool.values()):
                endpoint.interrupt_all()

        seconds = program.timeout_seconds.timeout_seconds
        handle = local.clock.call_later(seconds, expire, "time-out of a state machine")
        env.next_state_name = program.start_at.start_at_name
        thread = threading.Thread(target=EvalComponent.eval, args=(program, env), daemon=True)
        thread.start()
        thread.join()
        handle.cancel()

    Program.eval = timed
