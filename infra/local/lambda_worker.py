"""One execution environment: a process with AWS's own runtime client, and the API it polls.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

import fcntl
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue

_PREFIX = "/2018-06-01/runtime/"
INIT_SECONDS = 10.0 * 6  # AWS allows 10 s of init on its own cores; ours are shared


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


def failure(kind: str, message: str, *, dead: bool = True) -> Outcome:
    document = {"errorType": kind, "errorMessage": message}
    return Outcome(json.dumps(document).encode(), kind, dead)


class _Api(ThreadingHTTPServer):
    daemon_threads = True
    worker: "Worker"

    def handle_error(self, request: object, client_address: object) -> None:
        """A worker that was killed breaks its connection; that is its owner's business."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Api

    def setup(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().setup()

    def do_GET(self) -> None:
        worker = self.server.worker
        worker.begin()
        invocation = worker.next_invocation()
        if invocation is None:
            self._answer(410, b"{}")
            return
        self._answer(
            200,
            invocation.payload,
            {
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
            },
        )

    def do_POST(self) -> None:
        body = self._body()
        worker, path = self.server.worker, self.path.removeprefix(_PREFIX)
        self._answer(202, b'{"status":"OK"}')
        if path.endswith("/response"):
            worker.outcomes.put(Outcome(body))
        elif path.endswith("/error"):
            kind = self.headers.get("Lambda-Runtime-Function-Error-Type") or "Unhandled"
            try:
                kind = json.loads(body).get("errorType") or kind
            except (ValueError, AttributeError):
                body = json.dumps({"errorType": kind, "errorMessage": ""}).encode()
            worker.outcomes.put(Outcome(body, str(kind), dead=path == "init/error"))

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        lines = [f"HTTP/1.1 {status} OK", "Content-Type: application/json",
                 f"Content-Length: {len(body)}",
                 *(f"{name}: {value}" for name, value in (headers or {}).items())]  # fmt: skip
        self.wfile.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the function's own log says what matters."""


class Worker:
    """A warm process for one version of one function; answers one invocation at a time."""

    def __init__(self, handler: str, code: Path, environment: Mapping[str, str]) -> None:
        self.ready = threading.Event()
        self.outcomes: Queue[Outcome] = Queue()
        self._waiting: Queue[Invocation | None] = Queue()
        self._output = bytearray()
        self._reading = threading.Lock()
        self._api = _Api(("127.0.0.1", 0), _Handler)
        self._api.worker = self
        threading.Thread(target=self._api.serve_forever, args=(0.05,), daemon=True).start()
        self.began = time.perf_counter()
        self.used = 0
        self.init_ms = 0.0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "awslambdaric", handler],
            cwd=code,
            env={
                **environment,
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._api.server_address[1]}",
                "_HANDLER": handler,
                "LAMBDA_TASK_ROOT": str(code),
                "PYTHONUNBUFFERED": "1",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name="lambda output", daemon=True)
        self._reader.start()

    def begin(self) -> None:
        """The process asks for its first invocation: init is over."""
        if not self.ready.is_set():
            self.init_ms = (time.perf_counter() - self.began) * 1000
            self.ready.set()

    def next_invocation(self) -> Invocation | None:
        return self._waiting.get()

    def run(self, invocation: Invocation, timeout: float) -> Outcome:
        """Answer one invocation; a process that is too slow or dies is not used again."""
        if not self.used and (early := self._start(invocation)):
            return early
        self.used += 1
        self._waiting.put(invocation)
        limit = time.monotonic() + timeout
        while True:
            try:
                return self.outcomes.get(timeout=min(0.25, max(0.001, limit - time.monotonic())))
            except Empty:
                if time.monotonic() >= limit:
                    return failure(
                        "Sandbox.Timedout",
                        f"RequestId: {invocation.request_id} Error: Task timed out after"
                        f" {timeout:.2f} seconds",
                    )
                if (status := self._process.poll()) is not None and self.outcomes.empty():
                    return self._died(invocation, status)

    def _start(self, invocation: Invocation) -> Outcome | None:
        limit = time.monotonic() + INIT_SECONDS
        while not self.ready.wait(0.02):
            if not self.outcomes.empty():
                return self.outcomes.get()
            if (status := self._process.poll()) is not None:
                time.sleep(0.05)  # its last words may still be on their way
                return (
                    self.outcomes.get()
                    if not self.outcomes.empty()
                    else self._died(invocation, status)
                )
            if time.monotonic() > limit:
                return failure("Sandbox.Timedout", f"Init took over {INIT_SECONDS:g} seconds")
        return None

    def _died(self, invocation: Invocation, status: int) -> Outcome:
        how = f"signal: {-status}" if status < 0 else f"exit status {status}"
        return failure(
            "Runtime.ExitError",
            f"RequestId: {invocation.request_id} Error: Runtime exited with error: {how}",
        )

    def take_output(self) -> list[str]:
        """Every line printed so far and not yet taken, in order."""
        stream = self._process.stdout
        assert stream is not None
        while True:
            with self._reading:
                if stream.closed or not _unread(stream.fileno()):
                    text = bytes(self._output).decode("utf-8", "replace")
                    self._output.clear()
                    return text.splitlines()
            time.sleep(0.0005)

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        descriptor = stream.fileno()
        while True:
            select.select([descriptor], [], [])
            with self._reading:
                data = os.read(descriptor, 1 << 16)
                self._output += data
                if not data:
                    stream.close()
                    return

    def stop(self) -> None:
        """End the process and its API."""
        self._waiting.put(None)
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)  # and whatever it started
        self._process.wait(10)
        self._reader.join(10)
        self._api.shutdown()
        self._api.server_close()


def _unread(descriptor: int) -> int:
    return int(struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, b"\0\0\0\0"))[0])
