"""Step Functions: state machines of a stack really run, on the clock, as their own role.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html

moto interprets the definition. Here: stacks make machines in its interpreting backend, an
execution counts as work in flight (see ``execution_work``), Wait states and time stamps follow the
clock, and calls carry the machine's role. What is refused: ``execution_limits``. The back-off of a
Retry runs in real time, five seconds at most: the execution goes on being in flight meanwhile.
"""

import logging
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from moto.core.config import default_user_config
from moto.core.responses import ActionResult
from moto.stepfunctions import models as models_module
from moto.stepfunctions.parser import models as parser_models
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state import state as state_module
from moto.stepfunctions.parser.asl.component.state.wait.wait_function import timestamp
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import (
    WaitFunction,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event import event_manager
from moto.stepfunctions.parser.backend import execution as execution_module
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import stepfunctions_parser_backends
from moto.stepfunctions.responses import StepFunctionResponse

from . import distributed_map, execution_limits, execution_work, lambda_task
from .execution_work import Work, execution_of
from .originals import original
from .resource_type import Made, Properties, Scope, register

if TYPE_CHECKING:
    from .server import Local

log = logging.getLogger(__name__)
_LONGEST_BACK_OFF = 5.0
_LONGEST_CALL = 1000.0  # a function may take 900 s


def _backend(scope: Scope) -> Any:
    return stepfunctions_parser_backends[scope.account][scope.region]


def _put(scope: Scope, name: str, properties: Properties) -> Made:
    backend = _backend(scope)
    definition = properties["DefinitionString"]
    for key, value in (properties.get("DefinitionSubstitutions") or {}).items():
        definition = definition.replace("${" + key + "}", str(value))
    arn = f"arn:aws:states:{scope.region}:{scope.account}:stateMachine:{name}"
    tags = [{"key": t["Key"], "value": t["Value"]} for t in properties.get("Tags", [])]
    if any(machine.arn == arn for machine in backend.state_machines):
        backend.update_state_machine(arn, definition, properties["RoleArn"])
    else:
        backend.create_state_machine(
            name,
            definition,
            properties["RoleArn"],
            tags,
            sm_type=properties.get("StateMachineType"),
        )
    return Made(arn, {"Arn": arn, "Name": name})


def _remove(scope: Scope, ref: str, properties: Properties) -> None:
    _backend(scope).delete_state_machine(ref)


register(
    "AWS::StepFunctions::StateMachine",
    put=_put,
    remove=_remove,
    name_property="StateMachineName",
    attributes=("Arn", "Name"),
    known=(
        *("DefinitionString", "DefinitionSubstitutions", "EncryptionConfiguration"),
        *("LoggingConfiguration", "RoleArn", "StateMachineName", "StateMachineType", "Tags"),
        "TracingConfiguration",
    ),
)


class Executions:
    """Running executions: their work in flight, and what ends a wait early."""

    def __init__(self, local: "Local") -> None:
        self.local = local
        self._work: dict[str, Work] = {}
        self._clients: dict[tuple[str, str, str], Any] = {}

    def start(self, arn: str, name: str, text: str, *, caller: str) -> str:
        """Start an execution on behalf of ``caller``; returns its ARN."""
        self.local.record(caller, "states:StartExecution", arn)
        backend = stepfunctions_parser_backends[self.local.account][self.local.region]
        return str(backend.start_execution(arn, name, text).exec_arn)

    def run(self, worker: ExecutionWorker, logic: Callable[[], None]) -> None:
        """Follow one execution to its end and tell the hooks."""
        execution: Any = worker._execution_communication.execution
        try:
            logic()
        except Exception as error:
            log.exception("%s broke off", execution.exec_arn)
            execution.exec_status = ExecutionStatus.FAILED
            execution.error, execution.cause = "States.Runtime", repr(error)
            execution.stop_date = self.local.clock.now()
        try:
            for hook in self.local.on_execution_end:
                hook(describe(execution))
        finally:
            self._work.pop(execution.exec_arn).__exit__()

    def begin(self, worker: ExecutionWorker) -> None:
        execution: Any = worker._execution_communication.execution
        work = Work(self.local.clock, f"execution {execution.name}")
        self._work[execution.exec_arn] = work.__enter__()

    def work_of(self, environment: Environment) -> Work:
        return self._work[execution_of(environment)]

    def wait(self, environment: Environment, seconds: float) -> None:
        """A Wait state: the clock may move on meanwhile; a stop ends it."""
        self.work_of(environment).sleep(seconds, until=lambda: not environment.is_running())

    def interrupt(self, environment: Environment) -> None:
        work = self._work.get(execution_of(environment))
        if work:
            work.interrupt()

    def client(self, region: str, service: Any, state_credentials: Any = None) -> Any:
        """A client that acts as the state machine's role."""
        role = state_credentials.role_arn if state_credentials else ""
        key = (region, service, role)
        if key not in self._clients:
            access, secret, token = self.local.credentials_for(role)
            self._clients[key] = boto3.client(
                service,
                region_name=region,
                endpoint_url=self.local.endpoint,
                aws_access_key_id=access,
                aws_secret_access_key=secret,
                aws_session_token=token,
                config=Config(
                    parameter_validation=False,
                    read_timeout=_LONGEST_CALL,
                    max_pool_connections=50,
                    retries={"total_max_attempts": 1},
                ),
            )
        return self._clients[key]


def describe(execution: Any) -> dict[str, Any]:
    """What DescribeExecution says: the input as it was given, the stop of whatever stopped."""
    told = {
        **execution.to_describe_output(),
        "input": execution.execution_input,
        "status": str(getattr(execution.exec_status, "value", execution.exec_status)),
        "redriveCount": 0,
    }
    return {name: value for name, value in told.items() if value is not None}


def _moments(local: "Local") -> SimpleNamespace:
    """A stand-in for the module ``datetime`` that tells the clock's time, as Step Functions
    writes it."""

    class Moment(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Moment":
            now = local.clock.now()
            return cls.fromtimestamp(now.timestamp(), UTC).replace(tzinfo=tz and UTC)

        def isoformat(self, sep: str = "T", timespec: str = "milliseconds") -> str:
            return super().isoformat(sep, "milliseconds").replace("+00:00", "Z")

    return SimpleNamespace(
        datetime=Moment, timezone=timezone, timedelta=timedelta, UTC=UTC, tzinfo=tzinfo
    )


def install(local: "Local") -> None:
    """Run state machines; ``local.executions``."""
    default_user_config["stepfunctions"]["execute_state_machine"] = True
    local.executions = executions = Executions(local)
    moments = _moments(local)
    for module in (parser_models, execution_module, state_module, event_manager, timestamp):
        module.datetime = moments
    models_module.utcnow = lambda: local.clock.now().replace(tzinfo=None)
    retrier_decl.time = SimpleNamespace(sleep=lambda s: time.sleep(min(s, _LONGEST_BACK_OFF)))

    execution_work.install(local, executions.work_of)
    execution_limits.install(local, executions.work_of)
    lambda_task.install(local)
    distributed_map.install(local)
    logic = original(ExecutionWorker, "_execution_logic")
    start = original(ExecutionWorker, "start")
    set_stop = original(Environment, "set_stop")

    def begin(worker: ExecutionWorker) -> None:
        executions.begin(worker)
        start(worker)

    def stopped(environment: Environment, *args: Any, **kwargs: Any) -> None:
        set_stop(environment, *args, **kwargs)
        executions.interrupt(environment)

    ExecutionWorker.start = begin
    ExecutionWorker._execution_logic = lambda w: executions.run(w, lambda: logic(w))
    Environment.set_stop = stopped
    WaitFunction._wait_interval = lambda self, env, wait_seconds: executions.wait(env, wait_seconds)
    StepFunctionResponse.describe_execution = lambda response: ActionResult(
        describe(
            response.stepfunction_backend.describe_execution(response._get_param("executionArn"))
        )
    )
    for name, module in list(sys.modules.items()):
        if name.startswith("moto.stepfunctions.parser") and hasattr(module, "boto_client_for"):
            setattr(module, "boto_client_for", executions.client)  # noqa: B010 (a module)
