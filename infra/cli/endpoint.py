"""A model's HTTP endpoint, called as any client would: signed with SigV4, over one connection."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urlsplit

from infra.cli.fault import NOBODY_THERE, Fault

SERVICE = "execute-api"
TIMEOUT = 30  # seconds, as API Gateway's own limit


class Refused(Fault):
    """The endpoint said no: ``status`` and the problem document (RFC 9457)."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        detail = problem.get("detail") or problem.get("message") or problem.get("title") or ""
        super().__init__(f"the endpoint answered {status}: {detail}")
        self.status, self.problem = status, problem


class Endpoint:
    """``with Endpoint(url) as endpoint: endpoint.post({"instances": […]})``.

    Credentials and region come from the environment like those of any AWS client; with ``token``
    the request carries it instead of a signature.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url, self.token = url, token
        parts = urlsplit(url)
        connection = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        self._connection = connection(parts.hostname or "", parts.port, timeout=TIMEOUT)
        self._path = parts.path
        self._signer: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def post(self, document: Any) -> dict[str, Any]:
        """Raises Refused for 4xx and 5xx, Fault when nobody answers."""
        return self.call("POST", json.dumps(document, separators=(",", ":")).encode())

    def get(self) -> dict[str, Any]:
        return self.call("GET", b"")

    def call(self, method: str, body: bytes) -> dict[str, Any]:
        headers = self._headers(method, body)
        try:
            answer = self._round(method, body, headers)
        except (OSError, http.client.HTTPException) as error:
            raise Fault(f"{self.url} does not answer ({error})", NOBODY_THERE) from None
        status, text = answer
        try:
            found = json.loads(text)
        except ValueError:
            found = {"detail": text.decode("utf-8", "replace")[:200]}
        if status >= 400:
            raise Refused(status, found if isinstance(found, dict) else {})
        return found if isinstance(found, dict) else {"items": found}

    def _round(self, method: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        for last in (False, True):
            try:
                self._connection.request(method, self._path, body or None, dict(headers))
                answer = self._connection.getresponse()
                return answer.status, answer.read()
            except (ConnectionError, http.client.RemoteDisconnected):
                # The other side may close an idle connection at any time; ask once more on a new
                # one. A prediction asked for twice is captured twice and answered once.
                self._connection.close()
                if last:
                    raise
        raise AssertionError("not reached")

    def _headers(self, method: str, body: bytes) -> dict[str, str]:
        headers = {"content-type": "application/json"} if body else {}
        if self.token:
            return {**headers, "authorization": f"Bearer {self.token}"}
        from botocore.awsrequest import AWSRequest

        request = AWSRequest(method=method, url=self.url, data=body, headers=headers)
        self._sigv4().add_auth(request)
        return dict(request.headers.items())

    def _sigv4(self) -> Any:
        if self._signer is None:
            from botocore.auth import SigV4Auth
            from botocore.session import Session

            session = Session()
            credentials, region = session.get_credentials(), session.get_config_variable("region")
            if credentials is None:
                raise Fault("no AWS credentials to sign with; export them first", NOBODY_THERE)
            self._signer = SigV4Auth(credentials, SERVICE, region or "us-east-1")
        return self._signer
