"""The embedded AWS: one process on 127.0.0.1 that answers AWS's own wire protocol.

moto is the engine; each file beside this one adds one behaviour it lacks. ``Local`` is what they
share: the clock, the call log, the credentials, and the hooks by which one service reaches another.
"""

import os
import shutil
import tempfile
import threading
import warnings
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server

from . import (
    alarm_types,
    alarms,
    bucket_types,
    change_sets,
    composite_alarms,
    dynamodb_writes,
    emf,
    event_types,
    events,
    executions,
    http_api,
    key_types,
    lambda_invoke,
    lambda_metrics,
    lambda_types,
    lambdas,
    log_subscriptions,
    log_types,
    messaging_types,
    metric_queries,
    metrics,
    originals,
    queue_mappings,
    queue_poller,
    queues,
    s3_events,
    sagemaker,
    schedules,
    sfn_sagemaker,
    stack_update,
    stacks,
    state_machines,
    topics,
    unsupported,
)
from .calls import Call, CallLog, Recorder
from .clock import Clock
from .condition import Context
from .control import Control
from .credentials import Credentials
from .deploy import deploy
from .gate import Dispatcher, Gate
from .outage import Outages
from .sigv4 import Secret

# importing these files teaches CloudFormation their types
TYPES = (
    alarm_types,
    bucket_types,
    event_types,
    key_types,
    lambda_types,
    log_types,
    messaging_types,
    queue_mappings,
)
__all__ = ["TYPES", "Local"]

# in the order in which they lean on each other
_BEHAVIOURS = (
    unsupported,
    stack_update,
    stacks,
    change_sets,
    dynamodb_writes,
    lambdas,
    lambda_invoke,
    state_machines,
    metrics,
    metric_queries,
    lambda_metrics,
    alarms,
    composite_alarms,
    events,
    schedules,
    bucket_types,
    s3_events,
    emf,
    log_subscriptions,
    executions,
    topics,
    queues,
    queue_mappings,
    queue_poller,
    sagemaker,
    sfn_sagemaker,
)


class _Handler(MotoRequestHandler):  # type: ignore[misc]
    protocol_version = "HTTP/1.1"  # clients keep their connections
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: Any) -> None:
        """Silent: CloudWatch Logs and the call log say what matters."""


class Local:
    """An AWS account of its own, in this process.

    Parameters
    ----------
    port : 0 takes a free one.
    home : folder for unpacked code; a temporary one, removed at the end, by default.
    speed, start : of the clock.

    One at a time in a process, since moto keeps its state in the process.
    """

    account = "123456789012"
    region = "us-east-1"

    # the behaviours put themselves here
    events: Any
    metrics: Any
    lambdas: Any
    executions: Any
    training: Any
    put_event: Callable[..., str]

    def __init__(
        self,
        port: int = 0,
        home: Path | None = None,
        speed: float = 1.0,
        start: datetime | None = None,
    ) -> None:
        self.clock = Clock(start, speed)
        self._own_home = home is None
        self.home = home or Path(tempfile.mkdtemp(prefix="embedded-aws-"))
        self._calls = CallLog()
        self._credentials = Credentials()
        self._asked_port = port
        self._stopped = threading.Event()
        self.outages = Outages()
        self.outbox: list[Any] = []
        self.on_log: list[Callable[[str, str, list[tuple[int, str]]], None]] = []
        self.on_metric: list[Callable[..., None]] = []
        self.on_alarm: list[Callable[..., None]] = []
        self.on_message: list[Callable[[str], None]] = []
        self.on_execution_end: list[Callable[[Mapping[str, Any]], None]] = []

    # --- life --------------------------------------------------------------------------------

    def start(self) -> "Local":
        """Listen. Raises OSError if the port is taken."""
        moto_api_backend.reset()
        app = Control(self, Gate(self, Recorder(self, Dispatcher())))
        self._server = make_server(
            "127.0.0.1", self._asked_port, app, threaded=True, request_handler=_Handler
        )
        self.port = int(self._server.server_port)
        self.endpoint = f"http://localhost:{self.port}"
        os.environ["MOTO_PORT"] = str(self.port)
        originals.remember()
        for behaviour in _BEHAVIOURS:
            behaviour.install(self)
        self.http = http_api.install(self)
        self._thread = threading.Thread(target=self._serve, name="embedded aws", daemon=True)
        self._thread.start()
        return self

    def _serve(self) -> None:
        self._server.serve_forever(0.05)

    def stop(self) -> None:
        """Stop listening, end every worker, forget everything."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        self.clock.stop()
        self.http.stop()
        self.training.stop()
        self.lambdas.stop()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
        originals.put_back()
        moto_api_backend.reset()
        if self._own_home:
            shutil.rmtree(self.home, ignore_errors=True)

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def wait_stopped(self) -> None:
        self._stopped.wait()

    def __enter__(self) -> "Local":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait_idle(self, timeout: float | None = None) -> None:
        """Wait until nothing is in flight. Raises StillBusy."""
        self.clock.wait_idle(timeout)

    def deploy(self, assembly: Path, stacks: list[str] | None = None) -> dict[str, Any]:
        """Put a synthesized assembly in place; outputs by stack. Raises DeployError."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # moto's remarks on templates
            return deploy(self, assembly, stacks)

    # --- what services ask of each other -----------------------------------------------------

    def invoke(self, function_arn: str, payload: bytes, **how: Any) -> Any:
        """Run a function; see :meth:`lambdas.Lambdas.invoke`."""
        return self.lambdas.invoke(function_arn, payload, **how)

    def start_execution(self, arn: str, name: str, text: str, *, caller: str) -> str:
        """Start a state machine on behalf of ``caller``; returns the execution's ARN."""
        return str(self.executions.start(arn, name, text, caller=caller))

    def record(
        self, caller: str, action: str, resource: str, context: Context | None = None
    ) -> None:
        """Note that ``caller`` needed this permission."""
        self._calls.add(Call(caller, action, resource, context or {}))

    def calls(self) -> list[Call]:
        """Every distinct call so far."""
        return self._calls.all()

    def credentials_for(self, role_arn: str) -> tuple[str, str, str]:
        return self._credentials.of(role_arn)

    def principal_of(self, access_key: str) -> str | None:
        return self._credentials.principal_of(access_key)

    def secret_of(self, access_key: str) -> Secret | None:
        return self._credentials.secret_of(access_key)
