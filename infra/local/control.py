"""``/_local/…``: what one may ask the embedded AWS itself, beside AWS's own API.

``GET health``, ``GET clock``, ``POST clock`` with ``{"advance": "7d"}``, ``{"to": ISO time}`` or
``{"speed": 60}``, ``GET calls``, ``POST idle``, ``POST outage`` with ``{"service": "dynamodb"}``
(and a part of a ``role``'s name, and a ``delay`` in seconds), ``DELETE outage``, ``POST stop``.
"""

import json
import re
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from .clock import StillBusy
from .outage import Outage

if TYPE_CHECKING:
    from .server import Local

_PREFIX = "/_local/"
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Control:
    """WSGI: its own paths, and everything else to ``app``."""

    def __init__(self, local: "Local", app: Callable[..., Iterable[bytes]]) -> None:
        self.local, self.app = local, app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        path = environ.get("PATH_INFO", "")
        if not path.startswith(_PREFIX):
            return self.app(environ, start_response)
        # a page in a browser may not drive it: it sends an Origin, tools do not
        if environ.get("HTTP_ORIGIN"):
            status, answer = "403 Forbidden", {"error": "not from a web page"}
        else:
            status, answer = self._answer(
                environ["REQUEST_METHOD"],
                path.removeprefix(_PREFIX),
                environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)),
            )
        body = json.dumps(answer).encode()
        start_response(
            status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        )
        return [body]

    def _answer(self, method: str, name: str, body: bytes) -> tuple[str, Any]:
        try:
            asked = json.loads(body or b"{}")
            match method, name:
                case "GET", "health":
                    return "200 OK", {"status": "ok", "port": self.local.port}
                case "GET", "clock":
                    return "200 OK", self._clock()
                case "POST", "clock":
                    self._move(asked)
                    return "200 OK", self._clock()
                case "GET", "calls":
                    return "200 OK", [call.as_dict() for call in self.local.calls()]
                case "POST", "idle":
                    self.local.wait_idle(float(asked.get("timeout", 60)))
                    return "200 OK", {"idle": True}
                case "POST", "outage":
                    self.local.outages.begin(Outage(**asked))
                    return "200 OK", {"outage": asked}
                case "DELETE", "outage":
                    self.local.outages.end()
                    return "200 OK", {"outage": None}
                case "POST", "stop":
                    threading.Thread(target=self.local.stop, daemon=True).start()
                    return "200 OK", {"stopping": True}
        except StillBusy as busy:
            return "409 Conflict", {"error": str(busy)}
        except (ValueError, TypeError, AttributeError) as error:
            return "400 Bad Request", {"error": str(error)}
        return "404 Not Found", {"error": f"there is no {method} {_PREFIX}{name}"}

    def _clock(self) -> dict[str, Any]:
        clock = self.local.clock
        return {
            "now": clock.now().isoformat().replace("+00:00", "Z"),
            "speed": clock.speed,
            "in_flight": clock.in_flight(),
        }

    def _move(self, asked: dict[str, Any]) -> None:
        unknown = sorted(set(asked) - {"advance", "to", "speed"})
        if unknown or not asked:
            raise ValueError(f"give advance, to or speed, not {', '.join(unknown) or 'nothing'}")
        if "speed" in asked:
            self.local.clock.speed = float(asked["speed"])
        if "advance" in asked:
            self.local.clock.advance(duration(str(asked["advance"])))
        if "to" in asked:
            moment = datetime.fromisoformat(str(asked["to"]))
            self.local.clock.advance_to(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def duration(text: str) -> timedelta:
    """``90m`` → an hour and a half. Units: s, m, h, d, w."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", text.strip())
    if not found:
        raise ValueError(f"{text!r} is no duration; write a number and s, m, h, d or w, like 7d")
    return timedelta(**{_UNITS[found[2]]: float(found[1])})
