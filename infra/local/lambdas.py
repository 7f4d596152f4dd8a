"""Lambda: invocations answered by warm processes, as many as there are at once.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import secrets
import threading
import time
import uuid
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moto.awslambda.models import lambda_backends

from . import lambda_async, lambda_layers, lambda_logs
from .credentials import OPERATOR
from .lambda_invoke import EventTooLarge, TooManyRequests
from .lambda_worker import Invocation, Worker, failure

if TYPE_CHECKING:
    from .server import Local

LARGEST_PAYLOAD = 6 * 1024 * 1024
LARGEST_EVENT = 1024 * 1024  # of an asynchronous invocation
CONCURRENCY = 10  # at once in a new account
_MOST_IDLE = 32  # processes kept warm in all
_TOO_LARGE = replace(
    failure(
        "Function.ResponseSizeTooLarge",
        f"Response payload size exceeded maximum allowed payload size ({LARGEST_PAYLOAD} bytes).",
    ),
    dead=False,
)


@dataclass(frozen=True)
class InvokeResult:
    """``error`` is the type of the error the function ended with, None when it went well."""

    payload: bytes
    error: str | None
    request_id: str
    log: str


@dataclass(eq=False)
class _Environment:
    worker: Worker
    stream: str
    identity: str


class Lambdas:
    """The functions of one account and region at work."""

    def __init__(self, local: "Local") -> None:
        self.local = local
        self.pump = lambda_logs.LogPump(local)
        self.on_end: list[Any] = []  # called with (function, InvokeResult, milliseconds)
        self._idle: list[_Environment] = []
        self._all: set[_Environment] = set()
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(CONCURRENCY)
        self._events = threading.BoundedSemaphore(CONCURRENCY // 2)
        self._stopped = False

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

        Raises moto's error for a function that is not there, EventTooLarge, and TooManyRequests
        when as many functions run as may.
        """
        function = self.find(function_arn, qualifier)
        if len(payload) > (LARGEST_EVENT if asynchronous else LARGEST_PAYLOAD):
            raise EventTooLarge(len(payload))
        if caller != OPERATOR and not caller.endswith(".amazonaws.com"):
            self.local.record(caller, "lambda:InvokeFunction", function_arn)
        request_id = str(uuid.uuid4())
        if asynchronous:
            event = lambda_async.Event(function, payload, request_id, self.local.clock.now())
            lambda_async.deliver(self, event)
            return InvokeResult(b"", None, request_id, "")
        called = function_arn if function_arn.startswith("arn:") else function.function_arn
        with self.local.clock.busy(f"function {function.function_name}"):
            return self.run(function, payload, request_id, called)

    def run(
        self,
        function: Any,
        payload: bytes,
        request_id: str,
        called: str | None = None,
        *,
        patient: bool = False,
    ) -> InvokeResult:
        """One try. ``patient`` waits for a slot instead of raising TooManyRequests, and leaves some
        to callers who wait: AWS reads its queue of events more slowly while an account is full."""
        with self._events if patient else nullcontext():
            if not self._slots.acquire(timeout=None if patient else 5.0):
                raise TooManyRequests
            try:
                return self._run(function, payload, request_id, called or function.function_arn)
            finally:
                self._slots.release()

    def _run(self, function: Any, payload: bytes, request_id: str, called: str) -> InvokeResult:
        timeout = float(function.timeout)
        environment, cold = self._take(function)
        worker = environment.worker
        began = time.perf_counter()
        deadline = int((time.time() + timeout) * 1000)
        outcome = worker.run(Invocation(request_id, called, payload or b"{}", deadline), timeout)
        if len(outcome.payload) > LARGEST_PAYLOAD:
            outcome = _TOO_LARGE
        elapsed = (time.perf_counter() - began) * 1000 - cold * worker.init_ms
        lines = lambda_logs.lines(
            request_id,
            str(function.version),
            worker.take_output(),
            outcome,
            milliseconds=max(elapsed, 0.01),
            memory=int(function.memory_size),
            peak=worker.peak,
            init_ms=worker.init_ms if cold else None,
        )
        self._give_back(environment, outcome.dead)
        result = InvokeResult(outcome.payload, outcome.error, request_id, "\n".join(lines))
        now = int(self.local.clock.now().timestamp() * 1000)

        def tell() -> None:
            lambda_logs.store(self.local, function, environment.stream, now, lines)
            for hook in self.on_end:
                hook(function, result, elapsed)

        self.pump.later(tell)
        return result

    # --- environments ------------------------------------------------------------------------

    def _take(self, function: Any) -> tuple[_Environment, bool]:
        """A warm environment of this very configuration, or a new one; whether it is new."""
        identity = _identity(function)
        with self._lock:
            warm = [e for e in self._idle if e.identity == identity]
            if warm:
                self._idle.remove(warm[-1])
        for environment in warm[-1:]:
            if environment.worker.alive:
                return environment, False
            self._end(environment)
        stream = f"{self.local.clock.now():%Y/%m/%d}/[{function.version}]{secrets.token_hex(16)}"
        environment = _Environment(self._start(function, stream), stream, identity)
        with self._lock:
            self._all.add(environment)
        return environment, True

    def _give_back(self, environment: _Environment, dead: bool) -> None:
        surplus: list[_Environment] = []
        with self._lock:
            if dead or self._stopped:
                surplus.append(environment)
            else:
                self._idle.append(environment)
                surplus, self._idle = self._idle[:-_MOST_IDLE], self._idle[-_MOST_IDLE:]
        for old in surplus:
            self._end(old)

    def _end(self, environment: _Environment) -> None:
        with self._lock:
            self._all.discard(environment)
        environment.worker.stop()

    def _start(self, function: Any, stream: str) -> Worker:
        home = self.local.home / "lambda"
        code = lambda_layers.unpack(home, function.code_bytes)
        backend = lambda_backends[self.local.account][self.local.region]
        layers = [
            backend.layers_versions_by_arn(layer["Arn"]).code_bytes for layer in function.layers
        ]
        opt = lambda_layers.merge(home, layers, function.run_time, function.architectures[0])
        path = [*lambda_layers.search_path(opt), lambda_layers.runtime(home)]
        variables = self._variables(function, stream, opt)
        return Worker(function.handler, code, path, variables, int(function.memory_size))

    def _variables(self, function: Any, stream: str, opt: Path) -> dict[str, str]:
        key, secret, token = self.local.credentials_for(function.role)
        temporary = self.local.home / "tmp" / secrets.token_hex(4)
        temporary.mkdir(parents=True)
        own = {name: str(value) for name, value in function.environment_vars.items()}
        if own.get("HOME") == "/tmp":  # an environment's /tmp is its own
            own["HOME"] = str(temporary)
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "TMPDIR": str(temporary),
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
            **own,
        }

    def stop(self) -> None:
        """End every worker."""
        self._stopped = True
        self.pump.stop()
        with self._lock:
            environments, self._all = self._all, set()
            self._idle.clear()
        for environment in environments:
            environment.worker.stop()


def _identity(function: Any) -> str:
    """Environments are shared by invocations of the same code and configuration only."""
    return repr(
        (function.function_arn, function.version, function.code_sha_256, function.handler,
         function.memory_size, function.role, function.logs_group_name,
         [layer["Arn"] for layer in function.layers], sorted(function.environment_vars.items()))
    )  # fmt: skip


def install(local: "Local") -> None:
    """Real processes for the functions; ``local.lambdas``."""
    local.lambdas = Lambdas(local)
