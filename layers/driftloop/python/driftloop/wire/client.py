"""Signed calls to AWS over kept-alive connections, with time-outs and retries inside a budget."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from io import BufferedReader, RawIOBase
from socket import socket
from typing import Any
from urllib.parse import urlsplit

from driftloop.errors import Unavailable
from driftloop.wire.sigv4 import Credentials, Request, sign

ATTEMPTS = 3
_PIECE = 1 << 16  # bytes of a body asked for at a time
_PAUSE = 0.05  # seconds; the longest pause before the first retry, doubled for each after it


@dataclass(frozen=True)
class Answer:
    """``whole``: whether that is all of the body; else time ran out, or the connection ended."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool = True


@dataclass
class Client:
    """Calls as ``credentials`` in ``region``. Not for use by two threads at once."""

    region: str
    credentials: Credentials
    env: Mapping[str, str]
    _connections: dict[str, HTTPConnection] = field(default_factory=dict, repr=False)
    _tls: Any = field(default=None, repr=False)  # reading the authorities takes 20 ms; do it once

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Client:
        """As Lambda sets it: AWS_REGION, AWS_ACCESS_KEY_ID and the two that go with it."""
        return cls(
            region=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1",
            credentials=Credentials(
                env.get("AWS_ACCESS_KEY_ID", ""),
                env.get("AWS_SECRET_ACCESS_KEY", ""),
                env.get("AWS_SESSION_TOKEN", ""),
            ),
            env=env,
        )

    def call(
        self,
        service: str,
        url: str,
        request: Request,
        budget: float,
        *,
        partial: bool = False,
    ) -> Answer:
        """Send ``request`` (its host is taken from ``url``) and give the answer below 500.

        ``budget``: seconds for everything, retries included. A throttled or failed call is sent
        again after a random pause. ``partial``: a part of the body will do, if time or connection
        ends within it. Raises Unavailable when the budget or the attempts are spent.
        """
        deadline = time.monotonic() + budget
        problem = "no time left"
        for attempt in range(ATTEMPTS):
            left = deadline - time.monotonic()
            if left <= 0:
                break
            try:
                # A hung connection must leave time for another try.
                timeout = left / (ATTEMPTS - attempt)
                answer = self._send(service, url, request, timeout, deadline)
                if not answer.whole and not (partial and answer.body):
                    raise TimeoutError("the body did not come to its end")
            except (OSError, HTTPException) as error:
                self._drop(url)
                problem = f"{type(error).__name__}: {error}"
            else:
                if answer.status < 500 and not _throttled(answer):
                    return answer
                problem = f"HTTP {answer.status}"
            pause = random.uniform(0, _PAUSE * 2**attempt)
            time.sleep(max(0.0, min(pause, deadline - time.monotonic())))
        raise Unavailable(f"{service} did not answer within {budget:g} s ({problem})")

    def _send(
        self, service: str, url: str, request: Request, timeout: float, deadline: float
    ) -> Answer:
        """``timeout``: seconds until it must begin to answer; ``deadline``: until it must end."""
        host = urlsplit(url).netloc
        named = Request(
            request.method, host, request.path, request.query, request.headers, request.body
        )
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        headers = sign(named, self.credentials, self.region, service, stamp)
        connection = self._connection(url)
        connection.timeout = timeout
        if connection.sock is not None:
            connection.sock.settimeout(timeout)
        clock = _Clock(time.monotonic() + timeout)
        connection.response_class = clock.response  # type: ignore[assignment]
        connection.request(named.method, named.target, body=named.body or None, headers=headers)
        response = connection.getresponse()
        clock.end = deadline
        body, whole = _read(response)
        if response.will_close or not whole:
            self._drop(url)
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, body, whole)

    def _connection(self, url: str) -> HTTPConnection:
        if url not in self._connections:
            parts = urlsplit(url)
            if parts.scheme == "https":
                import ssl
                from http.client import HTTPSConnection

                if self._tls is None:
                    bundle = self.env.get("AWS_CA_BUNDLE") or None
                    self._tls = ssl.create_default_context(cafile=bundle)
                self._connections[url] = HTTPSConnection(parts.netloc, context=self._tls)
            else:
                self._connections[url] = HTTPConnection(parts.netloc)
        return self._connections[url]

    def _drop(self, url: str) -> None:
        connection = self._connections.pop(url, None)
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """Close every kept connection."""
        for url in list(self._connections):
            self._drop(url)


@dataclass
class _Clock:
    """Ends what is received at ``end``, however little comes at a time; a socket's own time-out
    begins anew with every byte."""

    end: float

    def response(self, line: socket, *args: Any, **more: Any) -> HTTPResponse:
        found = HTTPResponse(line, *args, **more)
        found.fp = BufferedReader(_Line(found.fp.detach(), line, self))
        return found


class _Line(RawIOBase):
    def __init__(self, raw: RawIOBase, line: socket, clock: _Clock) -> None:
        self._raw, self._line, self._clock = raw, line, clock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._line.settimeout(max(self._clock.end - time.monotonic(), 0.001))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _read(response: HTTPResponse) -> tuple[bytes, bool]:
    """What comes of the body in time, and whether that is all."""
    pieces = []
    try:
        while True:
            piece = response.read1(_PIECE)
            pieces.append(piece)
            if not piece or response.length == 0:
                break
    except (OSError, HTTPException):
        return b"".join(pieces), False
    whole = not response.length  # None: the other side says its end by closing, or in chunks
    response.close()
    return b"".join(pieces), whole


def _throttled(answer: Answer) -> bool:
    return answer.status == 429 or (
        answer.status == 400
        and any(
            name in answer.body
            for name in (b"ThrottlingException", b"ProvisionedThroughputExceeded", b"RequestLimit")
        )
    )
