"""Contestants in processes of their own: started, asked over loopback or over a pipe, ended."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import urlsplit

from predict_clock import Ask, Questions

from driftloop.wire.sigv4 import Credentials, Request, sign

HERE = Path(__file__).parent
PATIENCE = 120.0  # seconds until the first answer
Figures = dict[str, Any]


class Process:
    """A command in its own session; ``started``: seconds from there to the first answer."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], log: Path) -> None:
        self.began = time.perf_counter()
        self.log = log
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                command, env=env, cwd=HERE, start_new_session=True, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
            )  # fmt: skip
        self.started = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pid in _family(self._process.pid):  # its workers may have sessions of their own
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.communicate()

    @property
    def input(self) -> IO[str]:
        assert self._process.stdin is not None
        return self._process.stdin

    def line(self) -> str:
        """The next it prints. Raises RuntimeError with its last words when it has ended."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            raise self.failed()
        return line

    def failed(self) -> RuntimeError:
        return RuntimeError(self.log.read_text(errors="replace").strip()[-300:] or "it ended")

    def wait(self) -> None:
        """Until it has ended. Raises RuntimeError with its last words when it went badly."""
        if self._process.wait(PATIENCE):
            raise self.failed()

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def peak(self) -> float:
        """MB (VmHWM) of the largest of its processes: the one that answers."""
        return max(map(_peak, _family(self._process.pid)))


class Function(Process):
    """A handler that :mod:`predict_clock` runs."""

    def first(self) -> None:
        if self.line() != "first":
            raise self.failed()
        self.started = time.perf_counter() - self.began

    def time(self, rows: int, seconds: float) -> Figures:
        self.input.write(json.dumps({"rows": rows, "seconds": seconds}) + "\n")
        self.input.flush()
        found: Figures = json.loads(self.line())
        return found


class Server(Process):
    """A server on loopback, asked over one kept-alive connection."""

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], log: Path, questions: Questions,
        url: str, shape: str, chances: Ask,
    ) -> None:  # fmt: skip
        """``url`` empty: the process prints it, and wants requests signed."""
        super().__init__(command, env, log)
        self.signed = not url
        self.url = urlsplit(url or self.line())
        self.questions, self.shape, self.chances = questions, shape, chances
        self._connection: HTTPConnection | None = None

    def first(self) -> None:
        asked = self._request(self.questions.instances[:1])
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self.chances(self._ask(asked))
                break
            except (OSError, HTTPException) as error:
                self._connection = None
                if self.ended or time.monotonic() > end:
                    raise self.failed() from error
                time.sleep(0.005)
        self.started = time.perf_counter() - self.began

    def time(self, rows: int, seconds: float) -> Figures:
        self._connection = None  # the server may have closed it while others had their turn
        self.chances(self._ask(self._request(self.questions.instances[:1])))
        return self.questions.time(rows, seconds, self._request, self._ask, self.chances)

    def _request(self, instances: list[Figures]) -> tuple[bytes, dict[str, str]]:
        body = json.dumps({self.shape: instances}).encode()
        headers = {"content-type": "application/json"}
        if self.signed:
            request = Request("POST", self.url.netloc, self.url.path, headers=headers, body=body)
            stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
            headers = sign(request, Credentials("test", "test"), "us-east-1", "execute-api", stamp)
        return body, headers

    def _ask(self, asked: tuple[bytes, dict[str, str]]) -> Any:
        if self._connection is None:
            self._connection = HTTPConnection(self.url.netloc, timeout=30)
            self._connection.connect()
            self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection.request("POST", self.url.path, *asked)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise HTTPException(f"{answer.status}: {text[:200]!r}")
        return json.loads(text)


def _family(pid: int) -> list[int]:
    """The process and all below it."""
    found = [pid]
    for parent in found:
        with suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def _peak(pid: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
