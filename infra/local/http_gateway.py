"""One HTTP API at work: what happens between a request and its answer.

AWS: "Working with HTTP APIs" (API Gateway Developer Guide, http-api). In order: CORS preflight,
stage, route (404), throttle (429), authorisation (401, 403), the function's own permission (500),
the integration (413, 500, 503), CORS headers, access log.
"""

import base64
import json
import secrets
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from . import http_cors, http_log, log_stream
from .http_access import Access, Refused, RouteAccess
from .http_event import Answer, MalformedAnswer, Place, answer_of, event_of
from .http_log import Story
from .http_route import RouteKey, choose
from .http_server import plain
from .lambda_invoke import TooManyRequests
from .service_access import refusal
from .sigv4 import Received
from .throttle import ACCOUNT_BURST, ACCOUNT_RATE, Bucket

if TYPE_CHECKING:
    from .server import Local

MAX_INVOCATION = 6 * 1024 * 1024


class _Ended(Exception):
    """Answered early; ``str(error)`` tells the access log why."""

    def __init__(self, answer: Answer, why: str) -> None:
        super().__init__(why)
        self.answer = answer


class Gateway:
    """Answers the requests of ``api`` (moto's object, read anew each time, so changes show)."""

    def __init__(self, local: "Local", api: Any, access: Access) -> None:
        self._local, self._api, self._access = local, api, access
        self._buckets: dict[tuple[str, str, float, int], Bucket] = {}
        self._keys: dict[str, RouteKey] = {}
        self._waiting = ThreadPoolExecutor(32, thread_name_prefix="integration")
        self.domain = f"{api.api_id}.execute-api.{local.region}.amazonaws.com"

    def close(self) -> None:
        self._waiting.shutdown(wait=False, cancel_futures=True)

    def handle(self, received: Received) -> Answer:
        """Answer one request; nothing is raised."""
        began = time.perf_counter()
        identity = base64.b64encode(secrets.token_bytes(11)).decode()
        story = Story(received, identity, self._local.clock.now())
        cors = self._api.cors_configuration or {}
        asks = cors and not self._guarded(received)
        answer = http_cors.preflight(cors, received) if asks else None
        if answer is None:
            answer = self._answer(story)
            answer = http_cors.decorate(cors, received, answer) if cors else answer
        named = (*answer.headers, ("apigw-requestid", identity))
        answer = Answer(answer.status, named, answer.body)
        self._log(story, answer, began)
        return answer

    def _answer(self, story: Story) -> Answer:
        with self._local.clock.busy("request"):
            try:
                return self._served(story)
            except _Ended as ended:
                story.error = str(ended)
                return ended.answer
            except Refused as refused:
                story.error = str(refused)
                return refused.answer

    def _served(self, story: Story) -> Answer:
        received = story.received
        path = unquote(received.path)
        story.stage, rest = self._stage(path)
        route, parameters = self._route(received.method, rest)
        story.route_key, story.path = route.route_key, path
        if not self._bucket(story.stage, route.route_key).take():
            raise _Ended(plain(429), "throttled")
        story.authorizer = self._access.admit(received, self._demand(story, route, rest))
        place = Place(
            account=self._local.account,
            api=self._api.api_id,
            domain=self.domain,
            stage=story.stage.name,
            route_key=route.route_key,
            request_id=story.id,
            now=story.now,
            path=path,
            path_parameters=parameters,
            stage_variables=story.stage.stage_variables or {},
            authorizer=story.authorizer,
        )
        return self._integrate(story, route, place)

    def _stage(self, path: str) -> tuple[Any, str]:
        """The stage, by the path's first part or ``$default``, and the path beneath it."""
        stages = self._api.stages
        first, _, rest = path[1:].partition("/")
        if first in stages:
            return stages[first], f"/{rest}"
        if "$default" not in stages:
            raise _Ended(plain(404), "no such stage")
        return stages["$default"], path

    def _route(self, method: str, path: str) -> tuple[Any, dict[str, str]]:
        routes = {route.route_key: route for route in list(self._api.routes.values())}
        for text in routes.keys() - self._keys.keys():
            self._keys[text] = RouteKey(text)
        chosen = choose([self._keys[text] for text in routes], method, path)
        if chosen is None:
            raise _Ended(plain(404), "no route matches")
        return routes[chosen[0].text], chosen[1]

    def _guarded(self, received: Received) -> bool:
        """Whether a route with an authoriser takes the request (``$default`` does that): it then
        judges preflights too, which carry no caller."""
        try:
            route, _ = self._route(received.method, self._stage(unquote(received.path))[1])
        except _Ended:
            return False
        return (route.authorization_type or "NONE") != "NONE"

    def _bucket(self, stage: Any, route_key: str) -> Bucket:
        own = (stage.route_settings or {}).get(route_key, {})
        default = stage.default_route_settings or {}
        rate = own.get("throttlingRateLimit") or default.get("throttlingRateLimit") or ACCOUNT_RATE
        burst = (
            own.get("throttlingBurstLimit") or default.get("throttlingBurstLimit") or ACCOUNT_BURST
        )
        key = (stage.name, route_key, float(rate), int(burst))
        return self._buckets.get(key) or self._buckets.setdefault(key, Bucket(key[2], key[3]))

    def _demand(self, story: Story, route: Any, path: str) -> RouteAccess:
        arn = (
            f"arn:aws:execute-api:{self._local.region}:{self._local.account}:{self._api.api_id}"
            f"/{story.stage.name}/{story.received.method}{path}"
        )
        return RouteAccess(
            kind=route.authorization_type or "NONE",
            arn=arn,
            scopes=tuple(route.authorization_scopes or ()),
            authorizer=self._api.authorizers.get(route.authorizer_id),
        )

    def _integrate(self, story: Story, route: Any, place: Place) -> Answer:
        integration = self._api.integrations[route.target.removeprefix("integrations/")]
        function = function_arn(integration.integration_uri)
        source = self._source(story, route)
        if why := refusal(self._local, "apigateway.amazonaws.com", function, source):
            raise _Ended(plain(500), why)
        payload = json.dumps(event_of(story.received, place), separators=(",", ":")).encode()
        if len(payload) > MAX_INVOCATION:
            raise _Ended(plain(413), "the event is over Lambda's 6 MB")
        began = time.perf_counter()
        result = self._invoke(function, payload, integration.timeout_in_millis / 1000)
        story.integration_ms = int((time.perf_counter() - began) * 1000)
        if result.error:
            raise _Ended(plain(500), f"the function failed: {result.error}")
        try:
            return answer_of(result.payload)
        except MalformedAnswer as malformed:
            raise _Ended(plain(500), str(malformed)) from malformed

    def _source(self, story: Story, route: Any) -> str:
        """The ARN a function's permission names: the route as it is declared, stage before it."""
        method, _, path = route.route_key.partition(" ")
        tail = "$default" if not path else f"{'*' if method == 'ANY' else method}{path}"
        return (
            f"arn:aws:execute-api:{self._local.region}:{self._local.account}:{self._api.api_id}"
            f"/{story.stage.name}/{tail}"
        )

    def _invoke(self, function: str, payload: bytes, seconds: float) -> Any:
        """Invoke, and stop waiting when the integration's time is up (the function runs on)."""
        work: Future[Any] = self._waiting.submit(
            self._local.invoke, function, payload, caller="apigateway.amazonaws.com"
        )
        try:
            return work.result(seconds)
        except TimeoutError as late:
            raise _Ended(plain(503), f"no answer within {seconds:g} s") from late
        except TooManyRequests as throttled:
            raise _Ended(plain(503), "as many functions run as may") from throttled

    def _log(self, story: Story, answer: Answer, began: float) -> None:
        settings = (story.stage.access_log_settings if story.stage else None) or {}
        if not settings.get("destinationArn"):
            return
        latency = int((time.perf_counter() - began) * 1000)
        known = {
            "accountId": self._local.account,
            "apiId": self._api.api_id,
            "domainName": self.domain,
            "stage": story.stage.name,
        }
        line = http_log.render(
            settings["format"], {**known, **http_log.values(story, answer, latency)}
        )
        group = http_log.group_of(settings["destinationArn"])
        log_stream.append(self._local, group, self._api.api_id, line, story.now)


def function_arn(uri: str) -> str:
    """The function in an integration's URI: bare, or as API Gateway's own invocation path."""
    return uri.partition("/functions/")[2].removesuffix("/invocations") or uri
