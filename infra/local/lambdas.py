"""Lambda: invocations answered by warm processes, logged and retried as on AWS.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
"""

import base64
import json
import secrets
import threading
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moto.awslambda.models import LambdaFunction, lambda_backends
from moto.logs.models import logs_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from . import lambda_layers
from .background import in_background
from .credentials import OPERATOR
from .lambda_worker import Invocation, Outcome, Worker

if TYPE_CHECKING:
    from .server import Local

LARGEST_PAYLOAD = 6 * 1024 * 1024
_RETRY_SECONDS = (60.0, 120.0)
_CONCURRENCY = 10  # what a new account has


@dataclass(frozen=True)
class InvokeResult:
    payload: bytes
    error: str | None
    request_id: str
    log: str


@dataclass
class _Environment:
    worker: Worker
    stream: str


class Lambdas:
    """The functions of one account and region at work."""

    def __init__(self, local: "Local") -> None:
        self.local = local
        self._idle: dict[str, list[_Environment]] = defaultdict(list)
        self._all: list[_Environment] = []
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(_CONCURRENCY)

    def find(self, function: str, qualifier: str | None = None) -> Any:
        """moto's function for a name or ARN, with or without version or alias."""
        backend = lambda_backends[self.local.account][self.local.region]
        return backend.get_function(function, qualifier)

    def invoke(
        self,
        function_arn: str,
        payload: bytes,
        *,
        asynchronous: bool = False,
        caller: str = OPERATOR,
        qualifier: str | None = None,
    ) -> InvokeResult:
        """Run the function; asynchronously it is queued, and the result is empty.

        Raises moto's ResourceNotFound for a function that is not there.
        """
        function = self.find(function_arn, qualifier)
        if caller != OPERATOR and not caller.endswith(".amazonaws.com"):
            self.local.record(caller, "lambda:InvokeFunction", function_arn)
        request_id = str(uuid.uuid4())
        if asynchronous:
            self._later(function, payload, request_id, 0)
            return InvokeResult(b"", None, request_id, "")
        with self.local.clock.busy(f"function {function.function_name}"):
            return self._now(function, payload, request_id)

    # --- once --------------------------------------------------------------------------------

    def _now(self, function: Any, payload: bytes, request_id: str) -> InvokeResult:
        with self._slots:
            environment, cold = self._take(function)
            began = time.perf_counter()
            timeout = float(function.timeout)
            outcome = environment.worker.run(
                Invocation(
                    request_id=request_id,
                    function_arn=function.function_arn,
                    payload=payload or b"{}",
                    deadline_ms=int((time.time() + timeout) * 1000),
                ),
                timeout,
            )
            elapsed = (time.perf_counter() - began) * 1000 - cold * environment.worker.init_ms
            elapsed = max(elapsed, 0.01)
            lines = self._lines(function, environment, request_id, elapsed, cold, outcome)
            if outcome.dead:
                environment.worker.stop()
                with self._lock:
                    self._all.remove(environment)
            else:
                with self._lock:
                    self._idle[_identity(function)].append(environment)
        self._log(function, environment.stream, lines)
        return InvokeResult(outcome.payload, outcome.error, request_id, "\n".join(lines))

    def _take(self, function: Any) -> tuple[_Environment, bool]:
        with self._lock:
            idle = self._idle[_identity(function)]
            if idle:
                return idle.pop(), False
        stream = f"{self.local.clock.now():%Y/%m/%d}/[{function.version}]{secrets.token_hex(16)}"
        environment = _Environment(self._start(function, stream), stream)
        with self._lock:
            self._all.append(environment)
        return environment, True

    def _start(self, function: Any, stream: str) -> Worker:
        home = self.local.home / "lambda"
        code = lambda_layers.unpack(home, function.code_bytes)
        backend = lambda_backends[self.local.account][self.local.region]
        layers = [
            backend.layers_versions_by_arn(layer["Arn"]).code_bytes for layer in function.layers
        ]
        opt = lambda_layers.merge(home, layers, function.run_time, function.architectures[0])
        return Worker(function.handler, code, self._environment(function, stream, code, opt))

    def _environment(self, function: Any, stream: str, code: Path, opt: Path) -> dict[str, str]:
        key, secret, token = self.local.credentials_for(function.role)
        temporary = self.local.home / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "TMPDIR": str(temporary),
            "PYTHONPATH": f"{code}:{opt / 'python'}",
            "LD_LIBRARY_PATH": str(opt / "lib"),
            "AWS_ENDPOINT_URL": self.local.endpoint,
            "AWS_REGION": self.local.region,
            "AWS_DEFAULT_REGION": self.local.region,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_SESSION_TOKEN": token,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": str(function.version),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "AWS_LAMBDA_LOG_GROUP_NAME": function.logs_group_name,
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            **{name: str(value) for name, value in function.environment_vars.items()},
        }

    def _lines(
        self,
        function: Any,
        environment: _Environment,
        request_id: str,
        elapsed: float,
        cold: bool,
        outcome: Outcome,
    ) -> list[str]:
        """What the log shows of one invocation."""
        lines = [
            f"START RequestId: {request_id} Version: {function.version}",
            *environment.worker.take_output(),
        ]
        if outcome.error in ("Sandbox.Timedout", "Runtime.ExitError"):
            lines.append(json.loads(outcome.payload)["errorMessage"])
        report = (
            f"REPORT RequestId: {request_id}\tDuration: {elapsed:.2f} ms\t"
            f"Billed Duration: {int(elapsed) + 1} ms\tMemory Size: {function.memory_size} MB"
        )
        if cold:
            report += f"\tInit Duration: {environment.worker.init_ms:.2f} ms"
        return [*lines, f"END RequestId: {request_id}", report]

    def _log(self, function: Any, stream: str, lines: list[str]) -> None:
        logs = logs_backends[self.local.account][self.local.region]
        group = function.logs_group_name
        if group not in logs.groups:
            logs.create_log_group(group, {})
        if stream not in logs.groups[group].streams:
            logs.create_log_stream(group, stream)
        now = int(self.local.clock.now().timestamp() * 1000)
        # past the backend's own check of ages, which knows only the real time
        logs.groups[group].put_log_events(
            stream, [{"timestamp": now, "message": line} for line in lines]
        )
        for hook in self.local.on_log:
            hook(group, stream, [(now, line) for line in lines])

    # --- asynchronously ----------------------------------------------------------------------

    def _later(self, function: Any, payload: bytes, request_id: str, attempt: int) -> None:
        in_background(
            self.local.clock,
            lambda: self._attempt(function, payload, request_id, attempt),
            f"event for {function.function_name}",
        )

    def _attempt(self, function: Any, payload: bytes, request_id: str, attempt: int) -> None:
        result = self._now(function, payload, request_id)
        if result.error is None:
            return
        settings = getattr(function, "async_settings", {})
        if attempt < int(settings.get("MaximumRetryAttempts", 2)):
            self.local.clock.call_later(
                _RETRY_SECONDS[attempt],
                lambda: self._later(function, payload, request_id, attempt + 1),
                f"retry of {function.function_name}",
            )
            return
        self._give_up(function, payload, result, attempt + 1)

    def _give_up(self, function: Any, payload: bytes, result: InvokeResult, tries: int) -> None:
        settings = getattr(function, "async_settings", {})
        on_failure = (settings.get("DestinationConfig") or {}).get("OnFailure") or {}
        queue = getattr(function, "dead_letter_arn", None)
        if on_failure.get("Destination"):
            record = {
                "version": "1.0",
                "timestamp": self.local.clock.now().isoformat(timespec="milliseconds"),
                "requestContext": {
                    "requestId": result.request_id,
                    "functionArn": function.function_arn,
                    "condition": "RetriesExhausted",
                    "approximateInvokeCount": tries,
                },
                "requestPayload": json.loads(payload or b"null"),
                "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
                "responsePayload": json.loads(result.payload or b"null"),
            }
            self._hand_over(function, on_failure["Destination"], json.dumps(record), {})
        if queue:
            message = json.loads(result.payload).get("errorMessage", "")[:1024] or "-"
            attributes = {
                "RequestID": result.request_id,
                "ErrorCode": "200",
                "ErrorMessage": message,
            }
            self._hand_over(function, queue, payload.decode(), attributes)

    def _hand_over(self, function: Any, target: str, body: str, attributes: dict[str, str]) -> None:
        account, region, service = self.local.account, self.local.region, target.split(":")[2]
        named = {n: {"DataType": "String", "StringValue": v} for n, v in attributes.items()}
        if service == "sqs":
            self.local.record(function.role, "sqs:SendMessage", target)
            sqs_backends[account][region].send_message(target.rpartition(":")[2], body, named)
        elif service == "sns":
            self.local.record(function.role, "sns:Publish", target)
            sns_backends[account][region].publish(body, arn=target)
        else:
            raise NotImplementedError(f"a failed invocation cannot go to {target} here")

    def stop(self) -> None:
        """End every worker."""
        with self._lock:
            environments, self._all = self._all, []
            self._idle.clear()
        for environment in environments:
            environment.worker.stop()


def _identity(function: Any) -> str:
    """Environments are shared by invocations of the same code and configuration only."""
    layers = ",".join(layer["Arn"] for layer in function.layers)
    return (
        f"{function.function_arn}|{function.version}|{function.code_sha_256}|{layers}|"
        f"{sorted(function.environment_vars.items())}|{function.role}"
    )


def install(local: "Local") -> None:
    """Real code for every Invoke; ``local.lambdas``."""
    local.lambdas = lambdas = Lambdas(local)

    def invoke(
        function: LambdaFunction, body: Any, request_headers: Any, response_headers: Any
    ) -> str | bytes:
        payload = body.encode() if isinstance(body, str) else (body or b"")
        kind = request_headers.get("x-amz-invocation-type", "RequestResponse")
        if kind == "DryRun":
            return b""
        result = lambdas.invoke(function.function_arn, payload, asynchronous=kind == "Event")
        if result.error:
            response_headers["x-amz-function-error"] = "Unhandled"
        tail = base64.b64encode(result.log.encode()[-4096:]).decode()
        response_headers["x-amz-log-result"] = tail
        response_headers["x-amz-executed-version"] = str(function.version)
        return result.payload

    LambdaFunction.invoke = invoke
