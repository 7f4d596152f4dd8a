"""The wire of the HTTP API: what a client may send, and what it gets for what it may not."""

import http.client
import socket
from collections.abc import Iterator

import pytest

from infra.local.http_event import Answer
from infra.local.http_server import MAX_BODY, HttpServer
from infra.local.sigv4 import Received


def echo(request: Received) -> Answer:
    if request.path == "/bug":
        raise RuntimeError("a bug")
    said = f"{request.method} {request.path}?{request.query} {request.headers.get('x-a')}"
    body = f"{said} {len(request.body)}".encode()
    return Answer(
        200, (("content-type", "text/plain"), ("set-cookie", "a"), ("set-cookie", "b")), body
    )


@pytest.fixture(scope="module")
def server() -> Iterator[HttpServer]:
    running = HttpServer(echo)
    running.start()
    yield running
    running.stop()


def raw(server: HttpServer, *pieces: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


def test_many_requests_on_one_connection(server: HttpServer) -> None:
    one = b"GET /a%20b?x=1 HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nX-A: 2\r\n\r\n"
    answer = raw(server, one, one)
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert answer.count(b"GET /a%20b?x=1 1,2 0") == 2
    assert answer.count(b"set-cookie: ") == 4


def test_chunks_and_continue(server: HttpServer) -> None:
    head = (
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
    )
    answer = raw(server, head, b"3\r\nabc\r\n", b"2;x=y\r\nde\r\n", b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")
    assert answer.endswith(b" 5")


def test_head_has_no_body_and_close_closes(server: HttpServer) -> None:
    answer = raw(server, b"HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n")
    assert b"connection: close" in answer


def test_a_bug_is_500_and_the_connection_lives(
    server: HttpServer, caplog: pytest.LogCaptureFixture
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("GET", "/bug")
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (500, b'{"message":"Internal Server Error"}')
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"GET /? None 0"
    connection.close()
    assert "a bug" in caplog.text


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET http://elsewhere/ HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nbroken\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nshort", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 11_000 + b"\r\n\r\n", 431),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n", 413),
        (b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1), 413),
        (
            b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
    ],
)
def test_what_is_no_request_is_refused(
    server: HttpServer, request_bytes: bytes, status: int
) -> None:
    assert raw(server, request_bytes).startswith(b"HTTP/1.1 %d " % status)
