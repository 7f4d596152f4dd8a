"""Requests to one host over kept-alive connections, sent again where that can help."""

from __future__ import annotations

import http.client
import os
import random
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from driftloop.errors import Unavailable

RETRIED = {429, 502, 503, 504}
_PAUSE = 0.1  # seconds; the longest pause before the first retry, doubled for each after it
_LONGEST = 10.0  # seconds, also where the endpoint names a longer one


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Channel:
    """To the host of ``url``; threads may share it. ``timeout``: seconds without a sign of life."""

    def __init__(self, url: str, timeout: float, retries: int) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise ValueError(f"{url!r} is no address of an endpoint; it should be https://…")
        self.host = parts.netloc
        self._timeout, self._retries = timeout, retries
        self._context = None
        if parts.scheme == "https":
            bundle = os.environ.get("AWS_CA_BUNDLE") or None
            self._context = ssl.create_default_context(cafile=bundle)
        self._idle: list[http.client.HTTPConnection] = []

    def ask(
        self, method: str, path: str, body: bytes, headers: Callable[[], Mapping[str, str]]
    ) -> Answer:
        """The answer, whatever its status. ``headers`` are made anew for each try, as signatures
        age. Throttled requests, unavailable services and lost connections are tried again after a
        random pause that doubles, or the one the answer asks for. Raises Unavailable.
        """
        for attempt in range(self._retries + 1):
            last = attempt == self._retries
            longest = min(_LONGEST, _PAUSE * 2**attempt)
            pause = random.uniform(0, longest)  # "full jitter", AWS Architecture Blog, 2015
            try:
                answer = self._round(method, path, body, headers())
            except (TimeoutError, ssl.SSLCertVerificationError) as error:
                raise self._silent(error) from error
            except (OSError, http.client.HTTPException) as error:
                if last:
                    raise self._silent(error) from error
            else:
                if answer.status not in RETRIED or last:
                    return answer
                asked = answer.headers.get("retry-after", "")
                if asked.isdecimal():
                    pause += min(_LONGEST, float(asked))
            time.sleep(pause)
        raise AssertionError("not reached")

    def _round(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        while True:
            reused = self._taken()
            connection = reused or self._open()
            try:
                connection.request(method, path, body or None, dict(headers))
                response = connection.getresponse()
                text = response.read()
            except ConnectionError:
                connection.close()
                if reused:  # the other side may close an idle connection at any time
                    continue
                raise
            except BaseException:
                connection.close()
                raise
            if not response.will_close:
                self._idle.append(connection)
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, named, text)

    def _taken(self) -> http.client.HTTPConnection | None:
        """An idle connection, unless another thread had the last one."""
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _open(self) -> http.client.HTTPConnection:
        if self._context is None:
            return http.client.HTTPConnection(self.host, timeout=self._timeout)
        return http.client.HTTPSConnection(self.host, timeout=self._timeout, context=self._context)

    def _silent(self, error: Exception) -> Unavailable:
        why = str(error) or type(error).__name__
        return Unavailable(f"{self.host} does not answer ({why})")

    def close(self) -> None:
        while connection := self._taken():
            connection.close()
