"""A small threaded HTTP/1.1 server for one HTTP API: keep-alive, Content-Length and chunked bodies.

AWS: "Quotas for configuring and running an HTTP API" (API Gateway Developer Guide,
http-api-quotas): 10 MB of payload, 10,240 bytes of request line and headers. One thread a
connection, on loopback only; nothing but the parsing of HTTP lives here.
"""

import contextlib
import logging
import socket
import socketserver
import threading
from collections.abc import Callable
from http import HTTPStatus
from io import BufferedIOBase

from .http_event import Answer
from .sigv4 import Received

MAX_BODY = 10 * 1024 * 1024
MAX_HEADERS = 10_240
IDLE_SECONDS = 75

_LOG = logging.getLogger(__name__)

Handler = Callable[[Received], Answer]


class _Refused(Exception):
    """Cannot be read as a request: answered with ``status``, then the connection is closed."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def plain(status: int, message: str | None = None) -> Answer:
    """API Gateway's own short answers: ``{"message":"Not Found"}`` and the like."""
    text = message or _phrase(status)
    return Answer(
        status, (("content-type", "application/json"),), b'{"message":"%s"}' % text.encode()
    )


class HttpServer(socketserver.ThreadingTCPServer):
    """Serves ``handler`` on a free port of 127.0.0.1 from ``start()`` to ``stop()``."""

    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, handler: Handler) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.handler = handler
        self.open: set[socket.socket] = set()
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.05,), name="http-api", daemon=True
        )

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        for connection in list(self.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)


class _Connection(socketserver.StreamRequestHandler):
    server: HttpServer
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.connection)

    def finish(self) -> None:
        self.server.open.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while self._serve_one():
                pass

    def _serve_one(self) -> bool:
        try:
            request = read_request(self.rfile, self.connection.sendall)
        except _Refused as refused:
            self._send("GET", plain(refused.status), keep=False)
            return False
        if request is None:
            return False
        keep = request.headers.get("connection", "").lower() != "close"
        try:
            answer = self.server.handler(request)
        except Exception:  # noqa: BLE001 (logged; the server outlives a bug of its handler)
            _LOG.exception("%s %s", request.method, request.path)
            answer = plain(500)
        self._send(request.method, answer, keep=keep)
        return keep

    def _send(self, method: str, answer: Answer, *, keep: bool) -> None:
        lines = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}"]
        lines += [f"{name}: {value}" for name, value in answer.headers if name != "content-length"]
        lines += [f"content-length: {len(answer.body)}", f"connection: {_alive(keep)}", "", ""]
        head = "\r\n".join(lines).encode("latin-1", "replace")
        self.connection.sendall(head if method == "HEAD" else head + answer.body)


def read_request(
    stream: BufferedIOBase, reply: Callable[[bytes], object] = lambda _: None
) -> Received | None:
    """Read one request; None when the client hung up before one began.

    ``reply`` sends the interim ``100 Continue`` that curl waits for before a large body.
    """
    line = stream.readline(MAX_HEADERS)
    if not line:
        return None
    try:
        method, target, version = line.decode("latin-1").split()
    except ValueError:
        raise _Refused(400) from None
    if not version.startswith("HTTP/1.") or not target.startswith("/"):
        raise _Refused(400)
    headers = _read_headers(stream, MAX_HEADERS - len(line))
    if headers.get("expect", "").lower() == "100-continue":
        reply(b"HTTP/1.1 100 Continue\r\n\r\n")
    path, _, query = target.partition("?")
    return Received(method, path, query, headers, _read_body(stream, headers))


def _read_headers(stream: BufferedIOBase, room: int) -> dict[str, str]:
    headers: dict[str, str] = {}
    while True:
        line = stream.readline(room + 2)
        room -= len(line)
        if room < 0:
            raise _Refused(431)
        if line in (b"\r\n", b"\n", b""):
            return headers
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or name != name.strip():
            raise _Refused(400)
        key, text = name.lower(), value.strip()
        separator = ";" if key == "cookie" else ","
        headers[key] = f"{headers[key]}{separator}{text}" if key in headers else text


def _read_body(stream: BufferedIOBase, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        if "content-length" in headers:
            raise _Refused(400)
        return _read_chunks(stream)
    try:
        length = int(headers.get("content-length") or 0)
    except ValueError:
        raise _Refused(400) from None
    if length < 0:
        raise _Refused(400)
    if length > MAX_BODY:
        _drain(stream, length)
        raise _Refused(413)
    body = stream.read(length) if length else b""
    if len(body) < length:
        raise _Refused(400)
    return body


def _read_chunks(stream: BufferedIOBase) -> bytes:
    body = bytearray()
    while True:
        try:
            size = int(stream.readline(64).partition(b";")[0], 16)
        except ValueError:
            raise _Refused(400) from None
        if size < 0:
            raise _Refused(400)
        if len(body) + size > MAX_BODY:
            raise _Refused(413)
        body += stream.read(size)
        stream.readline(64)
        if size == 0:
            return bytes(body)


def _drain(stream: BufferedIOBase, length: int) -> None:
    """Read a refused body away (up to 64 MB), so that the client gets to see the answer."""
    left = min(length, 64 * 1024 * 1024)
    while left > 0 and (piece := stream.read(min(left, 1 << 16))):
        left -= len(piece)


def _phrase(status: int) -> str:
    if status == 413:  # Python 3.13 calls it otherwise
        return "Request Entity Too Large"
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _alive(keep: bool) -> str:
    return "keep-alive" if keep else "close"
