"""A model's HTTPS endpoint, as a Python object."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self, overload
from urllib.parse import unquote, urlsplit

from driftloop.client.access import Access, Keys, Token
from driftloop.client.channel import Channel
from driftloop.client.refused import Refused, refused, understood
from driftloop.client.rows import Document, documents, shaped
from driftloop.wire.sigv4 import Request

if TYPE_CHECKING:
    from pandas import DataFrame

ROWS = 1_000  # in one request: far from Lambda's 6 MB, and from API Gateway's 30 seconds
EXPLAINED = 100  # rows of one request that asks for explanations too
LABELS = 10_000

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class Endpoint:
    """``Endpoint(url).predict(rows)``; threads may share one.

    url: of the model, ``https://…/models/flights``; one that ends in ``/predict`` will do.
    token: for an API that wants JWTs; a function if tokens run out and are to be had anew.
        Without one, requests are signed (SigV4) if there are credentials.
    region: of the signature; by default the one in the URL, then the environment's.
    credentials: boto3's, or :class:`Credentials`; by default what the environment holds, then what
        botocore finds, if it is installed.
    timeout: seconds to wait for an answer; API Gateway itself gives up after 30.
    retries: how often a request is sent again that was throttled (429), met an unavailable service
        (502, 503, 504) or lost its connection. A prediction that is asked for twice is captured
        twice, under two ids.

    Every call raises Refused for what the endpoint says no to, Unavailable when it does not answer.
    """

    def __init__(
        self,
        url: str,
        token: Token | None = None,
        *,
        region: str | None = None,
        credentials: Keys | None = None,
        timeout: float = 30.0,
        retries: int = 3,
    ) -> None:
        self.url = url.rstrip("/").removesuffix("/predict")
        self._path = unquote(urlsplit(self.url).path)
        self._channel = Channel(self.url, timeout, retries)
        self._access = Access(token, credentials, region)

    def __repr__(self) -> str:
        return f"Endpoint({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the idle connections; the next call opens one again."""
        self._channel.close()

    @overload
    def predict(self, rows: Mapping[str, Any], explain: bool = False) -> Document: ...
    @overload
    def predict(self, rows: Sequence[Any], explain: bool = False) -> list[Document]: ...
    @overload
    def predict(self, rows: DataFrame, explain: bool = False) -> DataFrame: ...

    def predict(self, rows: Any, explain: bool = False) -> Any:
        """Predictions of ``rows``: a dict, a list of dicts (or of lists, in the order of the
        model's inputs), or a pandas DataFrame; in the same shape and order.

        Each has ``id`` and ``value``, what the model gives besides (``probability``,
        ``probabilities``, ``interval``), the ``version`` that answered and, with ``explain``, what
        each input contributed. Many rows go in several requests. A value that is missing (NaN, NaT,
        NA) is sent as null. Raises BadRequest for one that JSON cannot say.
        """
        asked = documents(rows)
        more: Document = {"parameters": {"explain": True}} if explain else {}
        most = EXPLAINED if explain else ROWS
        answers: list[Document] = []
        for start in range(0, len(asked), most):
            answers += self._predicted(asked[start : start + most], more, start)
        return shaped(rows, answers)

    def _predicted(self, asked: list[Any], more: Document, first: int) -> Iterator[Document]:
        """Halved as often as the request, or its answer, is too large."""
        try:
            said = self._call("POST", "/predict", {"instances": asked, **more}, first)
        except Refused as error:
            half = len(asked) // 2
            if error.status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE or not half:
                raise
            yield from self._predicted(asked[:half], more, first)
            yield from self._predicted(asked[half:], more, first + half)
            return
        for prediction in said["predictions"]:
            yield {**prediction, "version": said["version"]}

    def labels(self, labels: Any) -> dict[str, int]:
        """Tell what became of predictions: dicts (or a frame of the columns) ``label`` and ``id``
        (of the prediction) or ``key`` (the one sent with the row; ``time``, of the prediction,
        narrows the search).

        Returns the endpoint's counts: ``labels``, ``matched``, ``unmatched``, ``duplicates`` ….
        """
        told = [
            {name: value for name, value in label.items() if value is not None}
            for label in documents(labels, "labels")
        ]
        counts: Counter[str] = Counter()
        for start in range(0, len(told), LABELS):
            said = self._call("POST", "/labels", {"labels": told[start : start + LABELS]}, start)
            counts.update({n: v for n, v in said.items() if v.__class__ is int})
        return dict(counts)

    def model(self) -> Document:
        """What there is to know of the model: its route, what it takes, an example request."""
        return self._call("GET")

    def _call(
        self, method: str, path: str = "", body: Document | None = None, first: int = 0
    ) -> Document:
        data = b"" if body is None else _encode(body).encode()
        headers = {"content-type": "application/json"} if data else {}
        host = self._channel.host
        request = Request(method, host, self._path + path, headers=headers, body=data)
        answer = self._channel.ask(
            method, request.target, data, lambda: self._access.headers(request)
        )
        if answer.status >= 400:
            raise refused(answer, first, self._access.anonymous)
        return understood(answer, self.url)
