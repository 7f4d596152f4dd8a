"""One execution environment: a process that runs AWS's own runtime client, awslambdaric.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .runtime_api import PREFIX, Request, RuntimeApi, answer

INIT_SECONDS = 60.0  # AWS allows 10 s of init on its own cores; ours are shared
_LOOK_SECONDS = 0.25  # how often a running process's memory is looked at


@dataclass(frozen=True)
class Invocation:
    request_id: str
    function_arn: str
    payload: bytes
    deadline_ms: int


@dataclass(frozen=True)
class Outcome:
    """What the function answered; ``error`` is its type, None when it went well."""

    payload: bytes
    error: str | None = None
    dead: bool = False  # the process is gone or must go


def failure(kind: str, message: str) -> Outcome:
    """The platform's own failures end the environment."""
    document = {"errorType": kind, "errorMessage": message}
    return Outcome(json.dumps(document).encode(), kind, dead=True)


class Worker:
    """A warm process for one version of one function; answers one invocation at a time.

    Parameters
    ----------
    code : the function's folder, its working directory; first on the path.
    path : further folders of modules. Nothing of this interpreter's own environment is seen.
    memory : megabytes; a process that takes more is killed, as on Lambda.
    """

    def __init__(
        self,
        handler: str,
        code: Path,
        path: list[Path],
        environment: Mapping[str, str],
        memory: int,
    ) -> None:
        self.memory, self.init_ms, self.peak = memory, 0.0, 0
        self._waiting: Request | None = None
        self._api = RuntimeApi()
        self._began = time.perf_counter()
        try:
            self._process = subprocess.Popen(
                # -S: what is not in the function or its layers is missing, as it is on Lambda
                [sys.executable, "-S", "-m", "awslambdaric", handler],
                cwd=code,
                env={
                    **environment,
                    "AWS_LAMBDA_RUNTIME_API": self._api.address,
                    "_HANDLER": handler,
                    "LAMBDA_TASK_ROOT": str(code),
                    "PYTHONPATH": os.pathsep.join(map(str, [code, *path])),
                    "PYTHONUNBUFFERED": "1",
                },
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError:  # such as that its folder went with the world
            self._api.close()
            raise
        assert self._process.stdout is not None
        self._api.listen_to(self._process.stdout.fileno())

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def run(self, invocation: Invocation, timeout: float) -> Outcome:
        """Answer one invocation. A process that is too slow, too big or dies is not used again."""
        if self._waiting is None and (early := self._ready(invocation)):
            return early
        assert self._waiting is not None
        waiting, self._waiting = self._waiting, None
        limit = time.monotonic() + timeout
        with contextlib.suppress(OSError):  # dead already: said below
            answer(waiting, "200 OK", invocation.payload, {
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
            })  # fmt: skip
        told = self._listen(limit, invocation)
        if isinstance(told, Request):
            outcome = self._outcome(told)
            self._api.drain()
            self._measure()
            return outcome
        return told or failure(
            "Sandbox.Timedout",
            f"RequestId: {invocation.request_id} Error: Task timed out after {timeout:.2f} seconds",
        )

    def _ready(self, invocation: Invocation) -> Outcome | None:
        """Wait until the process asks for work: after init, or after its last answer."""
        told = self._listen(time.monotonic() + INIT_SECONDS, invocation)
        if told is None:
            return failure("Sandbox.Timedout", f"Init took more than {INIT_SECONDS:g} seconds")
        if isinstance(told, Outcome):
            return told
        if told.path != PREFIX + "invocation/next":
            return self._outcome(told)
        self.init_ms = self.init_ms or (time.perf_counter() - self._began) * 1000
        self._waiting = told
        return None

    def _listen(self, limit: float, invocation: Invocation) -> Request | Outcome | None:
        """The process's next request, its end, or None when time is up."""
        while (left := limit - time.monotonic()) > 0:
            request = self._api.receive(min(left, _LOOK_SECONDS))
            if request is not None:
                return request
            if (status := self._process.poll()) is not None:
                self._api.drain()
                return self._ended(invocation, status)
            self._measure()
            if self.peak > self.memory:
                self.kill()
        return None

    def _ended(self, invocation: Invocation, status: int) -> Outcome:
        how = "signal: killed" if status == -signal.SIGKILL else f"exit status {abs(status)}"
        return failure(
            "Runtime.ExitError",
            f"RequestId: {invocation.request_id} Error: Runtime exited with error: {how}",
        )

    def _outcome(self, told: Request) -> Outcome:
        with contextlib.suppress(OSError):
            answer(told, "202 Accepted", b'{"status":"OK"}')
        if told.path.endswith("/response"):
            return Outcome(told.body)
        kind = told.headers.get("lambda-runtime-function-error-type") or "Unhandled"
        body = told.body
        try:
            kind = str(json.loads(body).get("errorType") or kind)
        except (ValueError, AttributeError):
            body = json.dumps({"errorType": kind, "errorMessage": ""}).encode()
        return Outcome(body, kind, dead=told.path == PREFIX + "init/error")

    def _measure(self) -> None:
        """Note the most memory the process ever held, in MB, where the system tells."""
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    self.peak = int(line.split()[1]) // 1024
                    return

    def take_output(self) -> list[str]:
        """Every line printed so far and not yet taken, in order."""
        text = bytes(self._api.printed).decode("utf-8", "replace")
        self._api.printed.clear()
        return text.splitlines()

    def kill(self) -> None:
        """End the process and whatever it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def stop(self) -> None:
        """End the process and its API."""
        self.kill()
        self._process.wait(10)
        self._api.close()
        if self._process.stdout:
            self._process.stdout.close()
