"""The HTTP API: one address for all models, routes, authorisers, who may call what."""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_apigatewayv2 as api
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.function import Function, log_group
from infra.settings import Settings
from infra.shared import Shared

# What the setting `public` may open, and nothing else.
PUBLIC = {
    "health": ("GET /health",),
    "docs": ("GET /docs",),
    "openapi": ("GET /openapi.json", "GET /models/{model}/openapi.json"),
}
# A browser asks before it lets a page call another site, and cannot say who asks. API Gateway
# answers by itself, but not where a route takes the question that wants to know: $default would.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
PREFLIGHT = "OPTIONS /{proxy+}"

_LONGEST_ANSWER = 30_000  # ms; an HTTP API waits no longer
_ACCESS = (
    '{"time":"$context.requestTimeEpoch","request":"$context.requestId",'
    '"route":"$context.routeKey","status":"$context.status","ip":"$context.identity.sourceIp",'
    '"bytes":"$context.responseLength","latency":"$context.responseLatency",'
    '"integration":"$context.integrationLatency","error":"$context.error.message"}'
)


class Api(Construct):
    """The API itself. Its stage deploys by itself, so that a model can hang its routes under it."""

    def __init__(self, scope: Construct, name: str, settings: Settings, key_arn: str) -> None:
        super().__init__(scope, name)
        self._settings = settings
        self._api = api.CfnApi(
            self, "Http", name=f"driftloop-{settings.name}", protocol_type="HTTP",
            description="driftloop: predictions, labels, and what there is to know of models",
            cors_configuration=_cors(settings),
        )  # fmt: skip
        access = log_group(
            self, "Access", f"/aws/vendedlogs/driftloop/{settings.name}/api", settings, key_arn
        )
        throttling = settings.environment.throttling
        api.CfnStage(
            self, "Stage", api_id=self._api.ref, stage_name="$default", auto_deploy=True,
            default_route_settings=api.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=throttling.rate, throttling_burst_limit=throttling.burst,
                detailed_metrics_enabled=True,
            ),
            access_log_settings=api.CfnStage.AccessLogSettingsProperty(
                destination_arn=access.log_group_arn, format=_ACCESS
            ),
        )  # fmt: skip
        self.authorizer_id = self._authorizer()

    @property
    def api_id(self) -> str:
        return self._api.ref

    @property
    def url(self) -> str:
        return self._api.attr_api_endpoint

    def described(self) -> dict[str, str]:
        """What the API's own documents say of it."""
        environment = self._settings.environment
        by = environment.authorizer
        return {
            "DRIFTLOOP_URL": self.url,
            "DRIFTLOOP_AUTHORIZER": by if isinstance(by, str) else by.jwt.issuer,
            "DRIFTLOOP_PUBLIC": ",".join(environment.public),
        }

    def answer_queries(self, query: Function) -> None:
        """Everything about models that no model's own stack answers; the rest is a 404 of ours."""
        routes = Routes(self, "Query", self._settings, self.api_id, self.authorizer_id, query)
        public = [route for opened in PUBLIC.values() for route in opened]
        for route in ("GET /models", "GET /models/{proxy+}", *public, "$default"):
            routes.add(route)
        if self._settings.environment.cors:
            routes.add(PREFLIGHT)

    def _authorizer(self) -> str | None:
        wanted = self._settings.environment.authorizer
        if isinstance(wanted, str):
            return None
        return api.CfnAuthorizer(
            self, "Jwt", api_id=self._api.ref, authorizer_type="JWT", name="jwt",
            identity_source=["$request.header.Authorization"],
            jwt_configuration=api.CfnAuthorizer.JWTConfigurationProperty(
                issuer=wanted.jwt.issuer, audience=wanted.jwt.audience
            ),
        ).ref  # fmt: skip


def _cors(settings: Settings) -> api.CfnApi.CorsProperty | None:
    cors = settings.environment.cors
    if cors is None:
        return None
    return api.CfnApi.CorsProperty(
        allow_origins=cors.origins, allow_methods=["GET", "POST"], allow_headers=cors.headers,
        expose_headers=["retry-after", "x-driftloop-stale", "x-driftloop-version"],
        max_age=cors.max_age,
    )  # fmt: skip


class Routes(Construct):
    """Routes of the API to one function."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        settings: Settings,
        api_id: str,
        authorizer_id: str | None,
        function: Function,
    ) -> None:
        super().__init__(scope, name)
        self._settings, self._api_id, self._authorizer_id = settings, api_id, authorizer_id
        self._live = function.live()
        self._integration = api.CfnIntegration(
            self, "Integration", api_id=api_id, integration_type="AWS_PROXY",
            integration_uri=self._live.function_arn, payload_format_version="2.0",
            timeout_in_millis=min(function.stage.timeout * 1000, _LONGEST_ANSWER),
        )  # fmt: skip

    def add(self, route: str) -> None:
        """``route`` is a literal key like ``POST /models/flights/predict`` or ``$default``."""
        name = "".join(c if c.isalnum() else "-" for c in route).strip("-")
        api.CfnRoute(
            self, f"Route-{name}", api_id=self._api_id, route_key=route,
            target=f"integrations/{self._integration.ref}",
            authorization_type=self._authorization(route),
            authorizer_id=self._authorizer_id if self._authorization(route) == "JWT" else None,
        )  # fmt: skip
        lambda_.CfnPermission(
            self, f"Invoke-{name}", action="lambda:InvokeFunction",
            principal="apigateway.amazonaws.com", function_name=self._live.function_arn,
            source_arn=f"arn:{Aws.PARTITION}:execute-api:{Aws.REGION}:{Aws.ACCOUNT_ID}:"
            f"{self._api_id}/*/{route.replace(' ', '')}",
        )  # fmt: skip

    def _authorization(self, route: str) -> str:
        environment = self._settings.environment
        opened = [PREFLIGHT, *(r for name in environment.public for r in PUBLIC[name])]
        if environment.authorizer == "none" or route in opened:
            return "NONE"
        return "JWT" if self._authorizer_id else "AWS_IAM"


def serve(
    scope: Construct, settings: Settings, shared: Shared, model: str, predict: Function,
    labels: Function,
) -> None:  # fmt: skip
    """A model's own routes under the platform's API."""
    for function in (predict, labels):
        name = function.stage.name
        routes = Routes(
            scope, f"Serve-{name}", settings, shared.api_id, shared.authorizer_id, function
        )
        routes.add(f"POST /models/{model}/{name}")
