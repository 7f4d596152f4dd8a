"""The door of the embedded AWS: who knocks, and what is not here says so by name.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html

moto lets anybody in, answers what it does not know with a web page, and takes a service it does
not know for S3.
"""

import functools
import io
import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from xml.sax.saxutils import escape

from moto.core import responses
from moto.core.utils import method_names_from_class
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from .sigv4 import Received, SignatureRefused, verify

if TYPE_CHECKING:
    from .server import Local

log = logging.getLogger(__name__)
_SIGNED = re.compile(r"Credential=([^/,\s&]+)/\d{8}/[^/]+/([^/]+)/aws4_request")
# Services whose name alone says which of moto's applications answers.
_PLAIN = frozenset(
    ("s3", "dynamodb", "lambda", "states", "logs", "events", "monitoring", "sns", "sqs", "ssm",
     "sts", "kms", "iam", "cloudformation")
)  # fmt: skip
_SIGNED_V2 = re.compile(r"(?:^|&)AWSAccessKeyId=([^&]+)")  # what S3 presigns with
_STATUS = {
    403: "403 Forbidden",
    500: "500 Internal Server Error",
    501: "501 Not Implemented",
    503: "503 Service Unavailable",
}
App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Dispatcher(DomainDispatcherApplication):  # type: ignore[misc]
    """moto's applications, found once a service instead of by 600 patterns a request."""

    def __init__(self) -> None:
        super().__init__(_application)
        self._found: dict[str, Any] = {}
        # moto lists a class's methods anew for every request; they never change
        responses.method_names_from_class = functools.cache(method_names_from_class)

    def get_application(self, environ: dict[str, Any]) -> Any:
        service = _service(environ)
        target, path = environ.get("HTTP_X_AMZ_TARGET", ""), environ.get("PATH_INFO", "")
        if (
            service not in _PLAIN
            or target.startswith("DynamoDBStreams")
            or (service == "s3" and path.startswith("/v20180820/"))
            or path.startswith("/moto-api")
        ):
            return super().get_application(environ)
        if service not in self._found:
            self._found[service] = super().get_application(environ)
        return self._found[service]


def _application(service: str | None) -> Any:
    if service is None:
        raise NotImplementedError("It has no such service.")
    return create_backend_app(service)


class Gate:
    """WSGI: turns away the unknown, and names what ``app`` cannot do."""

    def __init__(self, local: "Local", app: App) -> None:
        self.local, self.app = local, app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        # all of it, now: an answer before the end of a body would spoil the connection
        environ["wsgi.input"] = io.BytesIO(_body(environ))
        key, service = credential(environ) or ("", "")
        if not key:
            return _refuse(
                environ, start_response, 403, "MissingAuthenticationToken",
                "The request is not signed.",
            )  # fmt: skip
        principal = self.local.principal_of(key)
        if principal is None:
            return _refuse(
                environ, start_response, 403, "InvalidClientTokenId",
                f"The access key {key} is nobody's here; the operator's is 'test'.",
            )  # fmt: skip
        if why := self._forged(environ, key, service):
            return _refuse(environ, start_response, 403, "SignatureDoesNotMatch", why)
        if self.local.outages.strikes(service, principal):
            why = "An outage was asked for at /_local/outage."
            return _refuse(environ, start_response, 503, "ServiceUnavailable", why)
        told: list[Any] = []
        try:
            answer = self.app(environ, lambda *response: told.append(response))
        except NotImplementedError as error:
            return self._unsupported(environ, start_response, service, str(error))
        except Exception as error:
            log.exception("%s", named(environ, service))
            why = f"{named(environ, service)} broke the embedded AWS: {error!r}"
            return _refuse(environ, start_response, 500, "InternalFailure", why)
        status, headers, *rest = told[-1]
        if status.startswith("404") and service != "s3" and _is_page(headers):
            return self._unsupported(environ, start_response, service, "")
        start_response(status, headers, *rest)
        return answer

    def _forged(self, environ: dict[str, Any], key: str, service: str) -> str:
        """Why the signature is not the key holder's; '' if it is. (Of old ones, S3's version 2,
        only the key is looked at.)"""
        if "AWSAccessKeyId=" in environ.get("QUERY_STRING", ""):
            return ""
        received = Received(
            environ["REQUEST_METHOD"],
            raw_path(environ),
            environ.get("QUERY_STRING", ""),
            headers_of(environ),
            environ["wsgi.input"].getvalue(),
        )
        try:
            verify(
                received,
                self.local.secret_of,
                service=service,
                region=self.local.region,
                now=datetime.now(UTC),
            )
        except SignatureRefused as refused:
            return str(refused)
        return ""

    def _unsupported(
        self, environ: dict[str, Any], start_response: Callable[..., Any], service: str, why: str
    ) -> Any:
        message = f"The embedded AWS does not support {named(environ, service)}."
        log.error("%s %s", message, why)
        return _refuse(environ, start_response, 501, "NotImplemented", f"{message} {why}".strip())


def credential(environ: Mapping[str, Any]) -> tuple[str, str] | None:
    """Access key and service of a signed request (by header or query); None for an unsigned one."""
    found = _SIGNED.search(environ.get("HTTP_AUTHORIZATION", ""))
    query = "" if found else environ.get("QUERY_STRING", "")
    if "X-Amz-Credential=" in query:
        found = _SIGNED.search(unquote(query))
    elif older := _SIGNED_V2.search(query):
        return unquote(older[1]), "s3"
    return (found[1], found[2].lower()) if found else None


def _body(environ: dict[str, Any]) -> bytes:
    if environ.pop("wsgi.input_terminated", False):  # it came in chunks, its length untold
        body = bytes(environ["wsgi.input"].read())
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ["CONTENT_LENGTH"] = str(len(body))
        return body
    return bytes(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))


def raw_path(environ: Mapping[str, Any]) -> str:
    raw = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ["PATH_INFO"])
    return raw.partition("?")[0]


def headers_of(environ: Mapping[str, Any]) -> dict[str, str]:
    found = {
        name[5:].replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            found[name.replace("_", "-").lower()] = str(environ[name])
    return found


def _service(environ: Mapping[str, Any]) -> str:
    return (credential(environ) or ("", ""))[1]


def named(environ: Mapping[str, Any], service: str) -> str:
    """What was asked for: ``dynamodb:ExecuteStatement``, or method and path."""
    operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    return f"{service}:{operation or environ['REQUEST_METHOD'] + ' ' + environ['PATH_INFO']}"


def _is_page(headers: Iterable[tuple[str, str]]) -> bool:
    return any(n.lower() == "content-type" and v.startswith("text/html") for n, v in headers)


def _refuse(
    environ: Mapping[str, Any],
    start_response: Callable[..., Any],
    status: int,
    code: str,
    message: str,
) -> list[bytes]:
    """An error in the wire form of the service that was asked."""
    asked, service = environ.get("CONTENT_TYPE", ""), _service(environ)
    if service == "s3":
        kind, text = "application/xml", f"<Error>{_xml(code, message)}</Error>"
    elif asked.startswith("application/x-www-form-urlencoded"):
        kind = "text/xml"
        text = f"<ErrorResponse><Error>{_xml(code, message)}</Error></ErrorResponse>"
    else:
        kind, text = "application/json", json.dumps({"__type": code, "message": message})
    body = text.encode()
    start_response(
        _STATUS[status],
        [("Content-Type", kind), ("Content-Length", str(len(body))), ("x-amzn-ErrorType", code)],
    )
    return [body]


def _xml(code: str, message: str) -> str:
    return f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
