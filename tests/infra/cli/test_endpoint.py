"""The endpoint is asked as any signed client would ask it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from infra.cli import target
from infra.cli.endpoint import Endpoint, Refused
from infra.cli.fault import Fault


@pytest.fixture
def server(monkeypatch):
    """Answers 200 with what it was sent, or what ``answers`` holds; hangs up when told to."""
    for name, value in target.environment("http://localhost:1").items():
        monkeypatch.setenv(name, value)

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            server.seen.append(self.headers)
            status, document = server.answers.pop(0) if server.answers else (200, None)
            said = json.dumps(document or {"echo": json.loads(body)}).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)
            self.close_connection = server.hangs_up

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.seen, server.answers, server.hangs_up = [], [], False
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def url(server):
    return f"http://127.0.0.1:{server.server_port}/models/flights/predict"


def test_requests_are_signed_for_the_api(server):
    with Endpoint(url(server)) as endpoint:
        assert endpoint.post({"instances": [1]}) == {"echo": {"instances": [1]}}
    signature = server.seen[0]["Authorization"]
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=test/")
    assert "/us-east-1/execute-api/aws4_request" in signature


def test_a_token_goes_instead_of_a_signature(server):
    with Endpoint(url(server), token="abc") as endpoint:
        endpoint.post({})
    assert server.seen[0]["Authorization"] == "Bearer abc"


def test_a_connection_closed_meanwhile_is_opened_again(server):
    server.hangs_up = True
    with Endpoint(url(server)) as endpoint:
        for number in range(3):
            assert endpoint.post({"n": number}) == {"echo": {"n": number}}


def test_a_refusal_says_why(server):
    problem = {"title": "Bad Request", "detail": "instances[0].hour: should be a number"}
    server.answers = [(400, problem)]
    with Endpoint(url(server)) as endpoint, pytest.raises(Refused, match="hour: should") as caught:
        endpoint.post({})
    assert caught.value.status == 400


def test_nobody_there_is_said(monkeypatch):
    with Endpoint("http://127.0.0.1:9/x", token="t") as endpoint, pytest.raises(Fault) as caught:
        endpoint.post({})
    assert caught.value.code == 3
