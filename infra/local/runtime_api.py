"""The Lambda Runtime API for one process: the invoking thread itself speaks to it, by turns.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

A function asks for its next invocation and waits; the answer to that request is the event, and the
function's next request is its result. No other thread stands between, so that a warm invocation
costs two writes and two reads. What the process prints is read along the way: a full pipe would
hold it up.
"""

import os
import select
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

PREFIX = "/2018-06-01/runtime/"


@dataclass(frozen=True)
class Request:
    """What the process asked or told, and where the answer goes."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: socket.socket


class RuntimeApi:
    """Listens on a free port; ``output`` is the process's own pipe, not blocking."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=8)
        self._open: dict[int, tuple[socket.socket, bytearray]] = {}
        self._poll = select.poll()
        self._poll.register(self._listener, select.POLLIN)
        self._output = -1
        self.printed = bytearray()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def listen_to(self, output: int) -> None:
        os.set_blocking(output, False)
        self._output = output
        self._poll.register(output, select.POLLIN)

    def receive(self, seconds: float) -> Request | None:
        """The next whole request within ``seconds``; None if there is none."""
        limit = time.monotonic() + seconds
        while True:
            left = limit - time.monotonic()
            ready = self._poll.poll(max(0.0, left) * 1000)
            if not ready:
                return None
            for descriptor, _ in ready:
                if descriptor == self._listener.fileno():
                    self._accept()
                elif descriptor == self._output:
                    self.drain()
                elif (request := self._read(descriptor)) is not None:
                    return request

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open[connection.fileno()] = (connection, bytearray())
        self._poll.register(connection, select.POLLIN)

    def _read(self, descriptor: int) -> Request | None:
        connection, buffer = self._open.get(descriptor, (None, None))
        if connection is None or buffer is None:  # closed meanwhile, by who stops the process
            return None
        try:
            data = connection.recv(1 << 18)
        except OSError:
            data = b""
        if not data:
            self._poll.unregister(descriptor)
            del self._open[descriptor]
            connection.close()
            return None
        buffer += data
        return _parse(connection, buffer)

    def drain(self) -> None:
        """Take what was printed so far."""
        try:
            while self._output >= 0:
                data = os.read(self._output, 1 << 16)
                if not data:  # the process and all it started are gone
                    self._poll.unregister(self._output)
                    self._output = -1
                self.printed += data
        except BlockingIOError:
            return

    def close(self) -> None:
        self._listener.close()
        for connection, _ in self._open.values():
            connection.close()
        self._open.clear()


def answer(
    request: Request, status: str, body: bytes, headers: Mapping[str, str] | None = None
) -> None:
    """Answer a request. Raises OSError if the process is gone."""
    # the native client crashes when there is no content type
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    request.connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def _parse(connection: socket.socket, buffer: bytearray) -> Request | None:
    """Cut one whole request off the buffer, or leave it as it is."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *rest = bytes(buffer[:end]).decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {n.strip().lower(): v.strip() for n, _, v in (line.partition(":") for line in rest)}
    start = end + 4
    if headers.get("transfer-encoding", "").lower() == "chunked":
        found = _chunks(buffer, start)
    else:
        length = int(headers.get("content-length") or 0)
        whole = len(buffer) >= start + length
        found = (bytes(buffer[start : start + length]), start + length) if whole else None
    if found is None:
        if len(buffer) == start and headers.get("expect", "").lower() == "100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        return None
    body, used = found
    del buffer[:used]
    return Request(method, path, headers, body, connection)


def _chunks(buffer: bytearray, at: int) -> tuple[bytes, int] | None:
    body = bytearray()
    while True:
        line = buffer.find(b"\r\n", at)
        if line < 0:
            return None
        size = int(bytes(buffer[at:line]).split(b";")[0], 16)
        at = line + 2
        if len(buffer) < at + size + 2:
            return None
        body += buffer[at : at + size]
        at += size + 2
        if size == 0:
            return bytes(body), at
