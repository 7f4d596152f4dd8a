"""The CloudFormation types of an HTTP API: Api, Stage, Route, Integration, Authorizer, Deployment.

AWS: "Amazon API Gateway V2 resource type reference" (CloudFormation Template Reference,
AWS_ApiGatewayV2). Each makes moto's own object, so the ``apigatewayv2`` API reads what a stack
made; what API Gateway refuses, and what this embedded one cannot serve, fails the deploy by name.
"""

import hashlib
from typing import Any

from moto.apigatewayv2.exceptions import BadRequestException
from moto.apigatewayv2.models import apigatewayv2_backends

from .http_route import RouteKey, RouteKeyRefused
from .resource_type import Made, Properties, Scope, register

MAX_ROUTES = 300
_ACCESS = ("NONE", "AWS_IAM", "JWT")


def _camel(value: Any) -> Any:
    """CloudFormation's ``AllowOrigins`` in the API's own spelling, ``allowOrigins``."""
    if not isinstance(value, dict):
        return value
    return {name[:1].lower() + name[1:]: _camel(inner) for name, inner in value.items()}


def _identity(name: str, properties: Properties) -> str:
    """Ten letters that stay a resource's own through every update."""
    digest = hashlib.sha256(f"{name} {properties.get('ApiId')}".encode()).hexdigest()
    return digest[:10].translate(str.maketrans("0123456789", "ghijklmnop"))


def _backend(scope: Scope) -> Any:
    return apigatewayv2_backends[scope.account][scope.region]


def _api(scope: Scope, properties: Properties) -> Any:
    return _backend(scope).get_api(properties["ApiId"])


def _true(value: object) -> bool:
    return str(value).lower() == "true"


# --- Api ---


def put_api(scope: Scope, name: str, properties: Properties) -> Made:
    if properties.get("ProtocolType") != "HTTP":
        raise BadRequestException("only APIs with ProtocolType HTTP are served here")
    if _true(properties.get("DisableExecuteApiEndpoint")):
        raise BadRequestException("custom domains are not served here")
    backend = _backend(scope)
    api = next((a for a in backend.get_apis() if getattr(a, "cfn_name", None) == name), None)
    settings = {
        "api_key_selection_expression": None,
        "cors_configuration": _camel(properties.get("CorsConfiguration")),
        "description": properties.get("Description"),
        "disable_schema_validation": None,
        "disable_execute_api_endpoint": False,
        "name": properties.get("Name"),
        "route_selection_expression": None,
        "version": properties.get("Version"),
    }
    if api is None:
        tags = properties.get("Tags") or {}
        api = backend.create_api(protocol_type="HTTP", tags=tags, **settings)
        api.cfn_name = name
    else:
        api.update(**settings)
        api.cors_configuration = settings["cors_configuration"]  # None takes it away
    endpoint = str(api.api_endpoint)
    return Made(api.api_id, {"ApiId": api.api_id, "ApiEndpoint": endpoint})


def remove_api(scope: Scope, ref: str, properties: Properties) -> None:
    _backend(scope).delete_api(ref)


# --- Stage ---


def put_stage(scope: Scope, name: str, properties: Properties) -> Made:
    api = _api(scope, properties)
    if not _true(properties.get("AutoDeploy")):
        raise BadRequestException("a stage without AutoDeploy is not served here")
    plain = ("Description", "StageName", "StageVariables", "Tags")
    config = {key[0].lower() + key[1:]: properties[key] for key in plain if key in properties}
    for key in ("DefaultRouteSettings", "AccessLogSettings"):
        if key in properties:
            config[key[0].lower() + key[1:]] = _camel(properties[key])
    settings = properties.get("RouteSettings", {})  # by route key, which keeps its spelling
    config["routeSettings"] = {key: _camel(value) for key, value in settings.items()}
    api.create_stage({**config, "autoDeploy": True})
    return Made(properties["StageName"])


def remove_stage(scope: Scope, ref: str, properties: Properties) -> None:
    _of(scope, properties, "stages").pop(ref, None)


# --- Route ---


def put_route(scope: Scope, name: str, properties: Properties) -> Made:
    api, identity = _api(scope, properties), _identity(name, properties)
    settings = _route_settings(api, properties)
    key = settings["route_key"]
    others = [route for route in api.routes.values() if route.route_id != identity]
    if any(route.route_key == key for route in others):
        raise BadRequestException(f"Route with key {key} already exists for this API")
    if len(others) >= MAX_ROUTES:
        raise BadRequestException(f"an API has at most {MAX_ROUTES} routes")
    route = api.create_route(api_key_required=False, **settings)
    api.routes.pop(route.route_id)
    route.route_id = identity
    api.routes[identity] = route
    return Made(identity, {"RouteId": identity})


def _route_settings(api: Any, properties: Properties) -> dict[str, Any]:
    key = properties["RouteKey"]
    try:
        RouteKey(key)
    except RouteKeyRefused as refused:
        raise BadRequestException(str(refused)) from refused
    access = properties.get("AuthorizationType", "NONE")
    if access not in _ACCESS:
        raise BadRequestException(f"{key}: authorization {access} is not served here")
    authorizer = properties.get("AuthorizerId")
    if access == "JWT" and authorizer not in api.authorizers:
        raise BadRequestException(f"{key}: there is no authorizer {authorizer}")
    target = properties.get("Target", "")
    if target.removeprefix("integrations/") not in api.integrations:
        raise BadRequestException(f"{key}: there is no integration {target!r}")
    return {
        "route_key": key,
        "target": target,
        "authorization_type": access,
        "authorizer_id": authorizer,
        "authorization_scopes": properties.get("AuthorizationScopes", []),
        "operation_name": properties.get("OperationName"),
    }


def remove_route(scope: Scope, ref: str, properties: Properties) -> None:
    _of(scope, properties, "routes").pop(ref, None)


# --- Integration ---


def put_integration(scope: Scope, name: str, properties: Properties) -> Made:
    api, identity = _api(scope, properties), _identity(name, properties)
    kind, version = properties.get("IntegrationType"), properties.get("PayloadFormatVersion")
    uri = properties.get("IntegrationUri", "")
    if (kind, str(version)) != ("AWS_PROXY", "2.0") or ":function:" not in uri:
        raise BadRequestException(
            f"integration {kind} {uri} (payload {version}) is not served here:"
            " only AWS_PROXY to a Lambda function with payload format 2.0"
        )
    timeout = int(properties.get("TimeoutInMillis", 30_000))
    if not 50 <= timeout <= 30_000:
        raise BadRequestException("Timeout should be between 50 ms and 30000 ms")
    made = api.create_integration(
        connection_type="INTERNET",
        description=properties.get("Description"),
        integration_method="POST",
        integration_type="AWS_PROXY",
        integration_uri=uri,
        payload_format_version="2.0",
        timeout_in_millis=str(timeout),
    )
    api.integrations.pop(made.id)
    made.id = identity
    api.integrations[identity] = made
    return Made(identity, {"IntegrationId": identity})


def remove_integration(scope: Scope, ref: str, properties: Properties) -> None:
    target = f"integrations/{ref}"
    if any(route.target == target for route in _of(scope, properties, "routes").values()):
        raise BadRequestException(f"Cannot delete {target}: a route targets it")
    _of(scope, properties, "integrations").pop(ref, None)


# --- Authorizer ---


def put_authorizer(scope: Scope, name: str, properties: Properties) -> Made:
    api, identity = _api(scope, properties), _identity(name, properties)
    config = _camel(properties.get("JwtConfiguration", {}))
    if properties.get("AuthorizerType") != "JWT":
        raise BadRequestException("only JWT authorizers are served here")
    if not config.get("issuer") or not config.get("audience"):
        raise BadRequestException("a JWT authorizer needs an issuer and an audience")
    unused = (
        "auth_creds_arn",
        "auth_payload_format_version",
        "auth_result_ttl",
        "authorizer_uri",
        "enable_simple_response",
        "identity_validation_expr",
    )
    made = api.create_authorizer(
        authorizer_type="JWT",
        identity_source=properties.get("IdentitySource"),
        jwt_config=config,
        name=properties.get("Name"),
        **dict.fromkeys(unused),
    )
    api.authorizers.pop(made.id)
    made.id = identity
    api.authorizers[identity] = made
    return Made(identity, {"AuthorizerId": identity})


def remove_authorizer(scope: Scope, ref: str, properties: Properties) -> None:
    _of(scope, properties, "authorizers").pop(ref, None)


# --- Deployment: nothing to do, stages deploy by themselves ---


def put_deployment(scope: Scope, name: str, properties: Properties) -> Made:
    identity = _identity(name, properties)
    return Made(identity, {"DeploymentId": identity})


def remove_deployment(scope: Scope, ref: str, properties: Properties) -> None:
    pass


def _of(scope: Scope, properties: Properties, kind: str) -> dict[str, Any]:
    """The API's routes, stages …; empty when the API itself went away before them."""
    api = _backend(scope).apis.get(properties.get("ApiId"))
    return getattr(api, kind) if api else {}


_TYPES: dict[str, tuple[Any, Any, str, tuple[str, ...]]] = {
    "Api": (
        put_api,
        remove_api,
        "Name ProtocolType CorsConfiguration Description DisableExecuteApiEndpoint Tags Version",
        ("ApiId", "ApiEndpoint"),
    ),
    "Stage": (
        put_stage,
        remove_stage,
        "ApiId StageName AutoDeploy Description StageVariables Tags DefaultRouteSettings"
        " AccessLogSettings RouteSettings",
        (),
    ),
    "Route": (
        put_route,
        remove_route,
        "ApiId RouteKey Target AuthorizationType AuthorizerId AuthorizationScopes OperationName",
        ("RouteId",),
    ),
    "Integration": (
        put_integration,
        remove_integration,
        "ApiId IntegrationType IntegrationUri IntegrationMethod ConnectionType"
        " PayloadFormatVersion TimeoutInMillis Description",
        ("IntegrationId",),
    ),
    "Authorizer": (
        put_authorizer,
        remove_authorizer,
        "ApiId AuthorizerType IdentitySource JwtConfiguration Name",
        ("AuthorizerId",),
    ),
    "Deployment": (
        put_deployment,
        remove_deployment,
        "ApiId StageName Description",
        ("DeploymentId",),
    ),
}
for _kind, (_put, _remove, _known, _attributes) in _TYPES.items():
    register(
        f"AWS::ApiGatewayV2::{_kind}",
        put=_put,
        remove=_remove,
        known=tuple(_known.split()),
        attributes=_attributes,
    )
