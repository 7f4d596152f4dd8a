"""The record of every AWS call, with the role that made it.

What CloudTrail would keep, in the words of IAM: see ``actions`` for how a request becomes actions
and ``permissions`` for how they are judged.
"""

import io
import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from . import missing_object
from .action import Wire
from .actions import actions_of
from .condition import Context
from .credentials import OPERATOR
from .deployed import Deployed
from .gate import credential, headers_of, raw_path

if TYPE_CHECKING:
    from .server import Local

log = logging.getLogger(__name__)
_MOST = 200_000


@dataclass(frozen=True)
class Call:
    """One permission one caller needed; ``caller`` is a role's ARN, a service, or ``operator``."""

    caller: str
    action: str
    resource: str = "*"
    context: Context = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class CallLog:
    """Distinct calls, in the order in which each was first made."""

    def __init__(self) -> None:
        self._calls: dict[tuple[str, str, str, str], Call] = {}
        self._lock = threading.Lock()

    def add(self, call: Call) -> None:
        key = (call.caller, call.action, call.resource, repr(sorted(call.context.items())))
        with self._lock:
            if len(self._calls) < _MOST:
                self._calls.setdefault(key, call)

    def all(self) -> list[Call]:
        with self._lock:
            return list(self._calls.values())


class Recorder:
    """WSGI in front of moto: notes each request and its caller, then passes it on whole."""

    def __init__(self, local: "Local", app: Callable[..., Iterable[bytes]]) -> None:
        self.local, self.app = local, app
        self.world = Deployed(local.account, local.region)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        found = credential(environ)
        caller = self.local.principal_of(found[0]) if found else None
        if found is None or caller in (None, OPERATOR):
            return self.app(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        wire = Wire(
            service=found[1],
            method=environ["REQUEST_METHOD"],
            path=raw_path(environ),
            query=environ.get("QUERY_STRING", ""),
            headers=headers_of(environ),
            body=body,
        )
        status, instead = 200, False

        def started(line: str, headers: Any, *rest: Any) -> Any:
            nonlocal status, instead
            status = int(line.split(" ", 1)[0])
            if missing_object.hidden(wire, status, str(caller), self.world):
                status, instead = 403, True
                length = str(len(missing_object.body(wire)))
                headers = [("Content-Type", "application/xml"), ("Content-Length", length)]
                line = missing_object.STATUS
            return start_response(line, headers, *rest)

        answer = self.app(environ, started)
        if instead:
            answer = [missing_object.body(wire)]
        for action in actions_of(wire, self.world, status):
            self.local.record(str(caller), action.name, action.resource, action.context)
        return answer
