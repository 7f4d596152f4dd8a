"""Against a small server that misbehaves on purpose."""

import json
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from driftloop.errors import DriftloopError, NotFound, Unavailable
from driftloop.wire.calls import get_item, get_object
from driftloop.wire.client import Client
from driftloop.wire.messages import send_messages


class Server(ThreadingHTTPServer):
    """Answers from ``script``, a list of (status, body, seconds to wait); then 200 and nothing."""

    daemon_threads = True

    def __init__(self):
        self.script, self.requests, self.connections = [], [], 0
        self.drip, self.pause = 1 << 20, 0.0  # bytes written at once, seconds between
        super().__init__(("127.0.0.1", 0), Handler)

    def get_request(self):
        self.connections += 1
        return super().get_request()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.requests.append((self.path, dict(self.headers), body))
        status, answer, wait = self.server.script.pop(0) if self.server.script else (200, b"{}", 0)
        time.sleep(wait)
        if status == 0:
            self.close_connection = True
            self.connection.close()
            return
        if status == 206:  # ``answer`` is the whole object
            start = int(self.headers.get("range", "bytes=0-")[6:-1])
            status = 206 if start else 200
        self.send_response(status)
        if status == 206:
            self.send_header("content-range", f"bytes {start}-{len(answer) - 1}/{len(answer)}")
            answer = answer[start:]
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        for at in range(0, len(answer), self.server.drip):
            self.wfile.write(answer[at : at + self.server.drip])
            time.sleep(self.server.pause)

    do_POST = do_GET  # noqa: N815  (the base class names it so)

    def log_message(self, *args):
        pass

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (OSError, ValueError):
            self.close_connection = True


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def client(server):
    env = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
    }
    client = Client.from_env(env)
    yield client
    client.close()


def test_an_item_is_read_consistently_and_signed(server, client):
    server.script = [(200, json.dumps({"Item": {"revision": {"N": "3"}}}).encode(), 0)]
    assert get_item(client, "registry", "MODEL#m", "ROUTE", 1) == {"revision": 3}
    _, headers, body = server.requests[0]
    assert json.loads(body)["ConsistentRead"] is True
    assert headers["x-amz-security-token"] == "token"
    assert "/eu-west-1/dynamodb/aws4_request" in headers["authorization"]


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"Item": {"a": {"SS": []}}}', b"\xff"])
def test_what_is_no_item_is_refused_by_name(server, client, body):
    server.script = [(200, body, 0)]
    with pytest.raises(DriftloopError, match=r"no item|no document"):
        get_item(client, "registry", "MODEL#m", "ROUTE", 1)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"7"])
def test_messages_are_not_taken_for_sent_by_an_answer_that_is_no_document(server, client, body):
    server.script = [(200, body, 0)]
    with pytest.raises(DriftloopError, match="sqs answered what is no document"):
        send_messages(client, "http://q", ["{}"], 1)
    server.script = [(403, body, 0)]
    with pytest.raises(DriftloopError, match=r"AWS answered 403$"):
        send_messages(client, "http://q", ["{}"], 1)


def test_no_item_is_none(client):
    assert get_item(client, "registry", "MODEL#m", "ROUTE", 1) is None


def test_one_connection_serves_many_calls(server, client):
    for _ in range(5):
        get_object(client, "store", "a/key with space", 1)
    assert server.connections == 1
    assert server.requests[0][0] == "/store/a/key%20with%20space"


@pytest.mark.parametrize("failure", [(500, b"", 0), (503, b"", 0), (429, b"", 0), (0, b"", 0),
                                     (400, b"...ThrottlingException", 0)])  # fmt: skip
def test_a_passing_failure_is_tried_again(server, client, failure):
    server.script = [failure, failure, (200, b"plan", 0)]
    assert get_object(client, "store", "k", 2) == (b"plan", 4)


def test_a_lasting_failure_is_unavailable(server, client):
    server.script = [(500, b"", 0)] * 5
    with pytest.raises(Unavailable, match="HTTP 500"):
        get_object(client, "store", "k", 2)
    assert len(server.requests) == 3


def test_a_hung_service_costs_no_more_than_the_budget(server, client):
    server.script = [(200, b"", 0.6)] * 5
    began = time.monotonic()
    with pytest.raises(Unavailable):
        get_object(client, "store", "k", 0.2)
    assert time.monotonic() - began < 0.4


def test_a_body_that_drips_costs_no_more_than_the_budget_and_what_came_is_given(server, client):
    data = bytes(range(100))
    server.script, server.drip, server.pause = [(206, data, 0)] * 10, 10, 0.03
    came = b""
    for _ in range(10):
        began = time.monotonic()
        piece, total = get_object(client, "store", "k", 0.15, len(came))
        assert time.monotonic() - began < 0.25
        assert total == 100 and piece
        came += piece
        if len(came) == total:
            break
    assert came == data and len(server.requests) > 1
    with pytest.raises(Unavailable):  # an item is no use in part
        server.script = [(200, b"{" + b" " * 200 + b"}", 0)]
        get_item(client, "registry", "MODEL#m", "ROUTE", 0.15)


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\nx: ",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    ],
    ids=["header", "chunk"],
)
def test_what_drips_without_a_line_end_costs_no_more_than_the_budget(start):
    def drip():
        with listener, suppress(OSError):
            while True:
                line, _ = listener.accept()
                with line, suppress(OSError):
                    line.sendall(start)
                    while True:
                        line.sendall(b"0")
                        time.sleep(0.01)

    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    client = Client.from_env({"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "k"})
    began = time.monotonic()
    with pytest.raises(Unavailable):
        get_object(client, "store", "plan.json", 0.3)
    assert time.monotonic() - began < 1.5
    client.close()
    listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_a_connection_lost_in_a_body_gives_what_came(client, server):
    server.script = [(206, b"0123456789", 0)]
    short = server.RequestHandlerClass.send_header

    def lie(handler, name, value):
        short(handler, name, "20" if name == "content-length" else value)

    server.RequestHandlerClass = type("Lying", (Handler,), {"send_header": lie})
    server.script = [(206, b"0123456789", 0)] * 3
    piece, total = get_object(client, "store", "k", 0.3)
    assert (piece, total) == (b"0123456789", 20)


def test_a_missing_object_is_not_found_and_a_refusal_is_said(server, client):
    server.script = [(404, b"", 0), (403, b"<Code>AccessDenied</Code>", 0)]
    with pytest.raises(NotFound):
        get_object(client, "store", "k", 1)
    with pytest.raises(DriftloopError, match="AccessDenied"):
        get_object(client, "store", "k", 1)


@pytest.mark.parametrize("kind", ["com.amazon.coral.service#AccessDenied", "AccessDenied"])
def test_a_refusal_does_not_tell_callers_of_account_and_role(server, client, kind):
    words = "User: arn:aws:sts::111122223333:assumed-role/r is not authorized"
    server.script = [
        (400, json.dumps({"__type": kind, "Message": words}).encode(), 0),
        (403, f"<Error><Code>AccessDenied</Code><Message>{words}</Message></Error>".encode(), 0),
    ]
    for ask in (get_item, get_object):
        with pytest.raises(DriftloopError, match=r"AWS answered 40[03] AccessDenied$"):
            ask(client, "t", "p", *(["s"] if ask is get_item else []), 1)


def test_nobody_there_is_unavailable():
    client = Client.from_env({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    with pytest.raises(Unavailable):
        get_item(client, "t", "p", "s", 0.5)
