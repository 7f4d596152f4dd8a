"""HTTP APIs of API Gateway, each answering on a loopback port of its own.

AWS: "Working with HTTP APIs" (API Gateway Developer Guide, http-api). An API listens from its
creation (by CloudFormation or by the ``apigatewayv2`` API) to its deletion; ``ApiEndpoint`` is the
address it really answers on. The files beside this one: ``http_cfn`` (CloudFormation types),
``http_gateway`` (a request's way), ``http_route``, ``http_event``, ``http_access``, ``http_cors``,
``http_log``, ``throttle``, ``http_server`` (the wire).
"""

import threading
from typing import TYPE_CHECKING, Any

from moto.apigatewayv2.models import ApiGatewayV2Backend, apigatewayv2_backends

from . import http_cfn  # noqa: F401 (registers the CloudFormation types)
from .deployed import Deployed
from .http_access import Access
from .http_gateway import Gateway
from .http_server import HttpServer
from .originals import original
from .permissions import judge
from .sigv4 import Secret

if TYPE_CHECKING:
    from .server import Local


class Callers:
    """The embedded AWS's access keys and policies, as API Gateway asks for them."""

    def __init__(self, local: "Local") -> None:
        self._local = local
        self._deployed = Deployed(local.account, local.region)

    def principal_of(self, access_key: str) -> str | None:
        principal: str | None = self._local.principal_of(access_key)
        return principal

    def secret_of(self, access_key: str) -> Secret | None:
        return self._local.secret_of(access_key)

    def may_invoke(self, principal: str, route_arn: str) -> str:
        if principal == "operator":
            return ""
        policies = self._deployed.policies_of(principal)
        decision = judge(principal, "execute-api:Invoke", route_arn, {}, policies)
        self._local.record(principal, "execute-api:Invoke", route_arn)
        return "" if decision.allowed else decision.why


class HttpApis:
    """The servers of all APIs of one ``Local``."""

    def __init__(self, local: "Local") -> None:
        self._local = local
        self._access = Access(Callers(local), local.account, local.region)
        self._serving: dict[str, tuple[Gateway, HttpServer]] = {}
        self._lock = threading.Lock()

    def serve(self, api: Any) -> None:
        """Start answering for ``api`` and tell it its address."""
        gateway = Gateway(self._local, api, self._access)
        server = HttpServer(gateway.handle)
        server.start()
        api.api_endpoint = f"http://127.0.0.1:{server.port}"
        with self._lock:
            self._serving[api.api_id] = gateway, server

    def close(self, api_id: str) -> None:
        """Stop answering; an API that is not served is no mistake."""
        with self._lock:
            serving = self._serving.pop(api_id, None)
        if serving:
            gateway, server = serving
            server.stop()
            gateway.close()

    def stop(self) -> None:
        for api_id in list(self._serving):
            self.close(api_id)


def install(local: "Local") -> HttpApis:
    """Serve every API moto makes from now on; ``stop()`` what is returned in the end."""
    apis = HttpApis(local)
    create = original(ApiGatewayV2Backend, "create_api")
    delete = original(ApiGatewayV2Backend, "delete_api")

    def create_api(self: ApiGatewayV2Backend, *args: Any, **kwargs: Any) -> Any:
        api = create(self, *args, **kwargs)
        apis.serve(api)
        return api

    def delete_api(self: ApiGatewayV2Backend, api_id: str) -> None:
        apis.close(api_id)
        delete(self, api_id)

    ApiGatewayV2Backend.create_api = create_api
    ApiGatewayV2Backend.delete_api = delete_api
    for api in apigatewayv2_backends[local.account][local.region].apis.values():
        apis.serve(api)
    return apis
