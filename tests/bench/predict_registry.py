"""The two AWS calls of a cold start, answered from memory: the route and the plan."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from driftloop.route import Served, first
from driftloop.wire.attribute import encode_item


@contextmanager
def serving(plan: bytes) -> Iterator[str]:
    """The address of a registry and a bucket that hold one version, as the endpoint reads them."""
    served = Served(1, "flights/versions/bench/plan.json", hashlib.sha256(plan).hexdigest())
    route = first(served, "2013-02-01T00:00:00.000Z")
    item = json.dumps({"Item": encode_item(route.to_item())}).encode()

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self._say(item)

        def do_GET(self) -> None:
            self._say(plan)

        def _say(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
