"""An endpoint of sorts on loopback: it keeps what it was sent, and answers as it is told to."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1"}


def predictions(body):
    """What the real one would say, of a model that answers with the row's ``x``."""
    answers = [
        {"id": f"id-{i}", "value": row["x"], "probabilities": {"a": 0.25, "b": 0.75}}
        for i, row in enumerate(body["instances"])
    ]
    return 200, {"model": "m", "version": 3, "predictions": answers}


class Server(ThreadingHTTPServer):
    """``seen``: (method, path, headers, document); ``answers``: what to say next, each (status,
    document[, headers]), or None to hang up; then ``usual``."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen, self.answers, self.usual, self.closes = [], [], predictions, False
        self.url = f"http://127.0.0.1:{self.server_port}/models/m"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        document = json.loads(body) if body else None
        self.server.seen.append((self.command, self.path, dict(self.headers), document))
        said = self.server.answers.pop(0) if self.server.answers else self.server.usual(document)
        if said is None:
            self.close_connection = True
            return
        status, document, *more = said
        text = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        for name, value in {"content-length": len(text), **(more[0] if more else {})}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(text)
        self.close_connection = self.server.closes

    do_GET = do_POST  # noqa: N815  (the standard library's name)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    """Requests are signed with the keys in the environment; pauses between retries are short."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("driftloop.client.channel._PAUSE", 0.001)
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
