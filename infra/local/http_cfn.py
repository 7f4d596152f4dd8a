"""The CloudFormation types of an HTTP API: Api, Stage, Route, Integration, Authorizer, Deployment.

AWS: "Amazon API Gateway V2 resource type reference" (CloudFormation User Guide,
AWS_ApiGatewayV2). Each makes moto's own object, so the ``apigatewayv2`` API reads what a stack
made; what API Gateway refuses, and what this embedded one cannot serve, fails the deploy by name.
"""

from typing import Any

from moto.apigatewayv2.exceptions import BadRequestException
from moto.apigatewayv2.models import apigatewayv2_backends
from moto.core.common_models import CloudFormationModel

from .http_route import RouteKey, RouteKeyRefused

MAX_ROUTES = 300
_ACCESS = ("NONE", "AWS_IAM", "JWT")


def camel(value: Any) -> Any:
    """CloudFormation's ``AllowOrigins`` in the API's own spelling, ``allowOrigins``."""
    if not isinstance(value, dict):
        return value
    return {name[:1].lower() + name[1:]: camel(inner) for name, inner in value.items()}


class _Resource:
    """What the six types share: an identity within an API, and attributes to ``Fn::GetAtt``."""

    kind = ""
    attributes: tuple[str, ...] = ()

    def __init__(self, api: Any, identity: str, made: Any, properties: dict[str, Any]) -> None:
        self.api, self.physical_resource_id = api, identity
        self.made, self.properties = made, properties

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @classmethod
    def cloudformation_type(cls) -> str:
        return f"AWS::ApiGatewayV2::{cls.kind}"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in cls.attributes

    def get_cfn_attribute(self, attr: str) -> str:
        if attr == "ApiEndpoint":
            return str(self.api.api_endpoint)
        return self.physical_resource_id

    def is_created(self) -> bool:
        return True

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
        **_: Any,
    ) -> Any:
        properties = cloudformation_json["Properties"]
        backend = apigatewayv2_backends[account_id][region_name]
        api = backend.get_api(properties["ApiId"]) if "ApiId" in properties else None
        return cls.make(backend, api, properties)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Any,
        new_resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
    ) -> Any:
        properties = cloudformation_json["Properties"]
        original_resource.change(properties)
        original_resource.properties = properties
        return original_resource

    @classmethod
    def make(cls, backend: Any, api: Any, properties: dict[str, Any]) -> Any:
        raise NotImplementedError

    def change(self, properties: dict[str, Any]) -> None:
        raise NotImplementedError

    def delete(self, account_id: str, region_name: str) -> None:
        raise NotImplementedError


class Api(_Resource, CloudFormationModel):  # type: ignore[misc]
    kind, attributes = "Api", ("ApiId", "ApiEndpoint")

    @classmethod
    def make(cls, backend: Any, api: Any, properties: dict[str, Any]) -> "Api":
        if properties.get("ProtocolType") != "HTTP" or "Body" in properties:
            raise BadRequestException("only HTTP APIs made of routes are served here")
        api = backend.create_api(
            api_key_selection_expression=None,
            cors_configuration=camel(properties.get("CorsConfiguration")),
            description=properties.get("Description"),
            disable_schema_validation=None,
            disable_execute_api_endpoint=properties.get("DisableExecuteApiEndpoint"),
            name=properties.get("Name"),
            protocol_type="HTTP",
            route_selection_expression=None,
            tags=properties.get("Tags"),
            version=properties.get("Version"),
        )
        return cls(api, api.api_id, api, properties)

    def change(self, properties: dict[str, Any]) -> None:
        self.made.name = properties.get("Name")
        self.made.description = properties.get("Description")
        self.made.cors_configuration = camel(properties.get("CorsConfiguration"))

    def delete(self, account_id: str, region_name: str) -> None:
        apigatewayv2_backends[account_id][region_name].delete_api(self.api.api_id)


class Stage(_Resource, CloudFormationModel):  # type: ignore[misc]
    kind = "Stage"

    @classmethod
    def make(cls, backend: Any, api: Any, properties: dict[str, Any]) -> "Stage":
        name = properties["StageName"]
        if name in api.stages:
            raise BadRequestException(f"Stage already exists: {name}")
        return cls(api, name, api.create_stage(cls._config(properties)), properties)

    @staticmethod
    def _config(properties: dict[str, Any]) -> dict[str, Any]:
        if str(properties.get("AutoDeploy", False)).lower() != "true":
            raise BadRequestException("a stage without AutoDeploy is not served here")
        plain = ("AutoDeploy", "Description", "StageName", "StageVariables", "Tags")
        config = {
            name[0].lower() + name[1:]: properties[name] for name in plain if name in properties
        }
        for name in ("DefaultRouteSettings", "AccessLogSettings"):
            if name in properties:
                config[name[0].lower() + name[1:]] = camel(properties[name])
        settings = properties.get("RouteSettings", {})  # by route key, which keeps its spelling
        config["routeSettings"] = {key: camel(value) for key, value in settings.items()}
        return config

    def change(self, properties: dict[str, Any]) -> None:
        self.made = self.api.create_stage(self._config(properties))

    def delete(self, account_id: str, region_name: str) -> None:
        self.api.delete_stage(self.physical_resource_id)


class Route(_Resource, CloudFormationModel):  # type: ignore[misc]
    kind, attributes = "Route", ("RouteId",)

    @classmethod
    def make(cls, backend: Any, api: Any, properties: dict[str, Any]) -> "Route":
        settings = cls._checked(api, properties)
        if any(route.route_key == settings["route_key"] for route in api.routes.values()):
            raise BadRequestException(
                f"Route with key {settings['route_key']} already exists for this API"
            )
        if len(api.routes) >= MAX_ROUTES:
            raise BadRequestException(f"an API has at most {MAX_ROUTES} routes")
        route = api.create_route(api_key_required=False, **settings)
        return cls(api, route.route_id, route, properties)

    @staticmethod
    def _checked(api: Any, properties: dict[str, Any]) -> dict[str, Any]:
        key = properties["RouteKey"]
        try:
            RouteKey(key)
        except RouteKeyRefused as refused:
            raise BadRequestException(str(refused)) from refused
        access = properties.get("AuthorizationType", "NONE")
        if access not in _ACCESS:
            raise BadRequestException(f"{key}: authorization {access} is not served here")
        if access == "JWT" and properties.get("AuthorizerId") not in api.authorizers:
            raise BadRequestException(f"{key}: no authorizer {properties.get('AuthorizerId')}")
        target = properties.get("Target", "")
        if target.removeprefix("integrations/") not in api.integrations:
            raise BadRequestException(f"{key}: no integration {target!r}")
        return {
            "route_key": key,
            "target": target,
            "authorization_type": access,
            "authorizer_id": properties.get("AuthorizerId"),
            "authorization_scopes": properties.get("AuthorizationScopes", []),
        }

    def change(self, properties: dict[str, Any]) -> None:
        for name, value in self._checked(self.api, properties).items():
            setattr(self.made, name, value)

    def delete(self, account_id: str, region_name: str) -> None:
        self.api.delete_route(self.physical_resource_id)


class Integration(_Resource, CloudFormationModel):  # type: ignore[misc]
    kind, attributes = "Integration", ("IntegrationId",)

    @classmethod
    def make(cls, backend: Any, api: Any, properties: dict[str, Any]) -> "Integration":
        made = api.create_integration(connection_type="INTERNET", **cls._checked(properties))
        return cls(api, made.id, made, properties)

    @staticmethod
    def _checked(properties: dict[str, Any]) -> dict[str, Any]:
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
        return {
            "description": properties.get("Description"),
            "integration_method": "POST",
            "integration_type": "AWS_PROXY",
            "integration_uri": uri,
            "payload_format_version": "2.0",
            "timeout_in_millis": timeout,
        }

    def change(self, properties: dict[str, Any]) -> None:
        for name, value in self._checked(properties).items():
            setattr(self.made, name, value)

    def delete(self, account_id: str, region_name: str) -> None:
        target = f"integrations/{self.physical_resource_id}"
        if any(route.target == target for route in self.api.routes.values()):
            raise BadRequestException(f"Cannot delete {target}: a route targets it")
        self.api.delete_integration(self.physical_resource_id)


class Authorizer(_Resource, CloudFormationModel):  # type: ignore[misc]
    kind, attributes = "Authorizer", ("AuthorizerId",)

    @classmethod
    def make(cls, backend: Any, api: Any, properties: dict[str, Any]) -> "Authorizer":
        absent = dict.fromkeys(
            (
                "auth_creds_arn",
                "auth_payload_format_version",
                "auth_result_ttl",
                "authorizer_uri",
                "enable_simple_response",
                "identity_validation_expr",
            )
        )
        made = api.create_authorizer(**absent, **cls._checked(properties))
        return cls(api, made.id, made, properties)

    @staticmethod
    def _checked(properties: dict[str, Any]) -> dict[str, Any]:
        config = camel(properties.get("JwtConfiguration", {}))
        if properties.get("AuthorizerType") != "JWT":
            raise BadRequestException("only JWT authorizers are served here")
        if not config.get("issuer") or not config.get("audience"):
            raise BadRequestException("a JWT authorizer needs an issuer and an audience")
        return {
            "authorizer_type": "JWT",
            "identity_source": properties.get("IdentitySource"),
            "jwt_config": config,
            "name": properties.get("Name"),
        }

    def change(self, properties: dict[str, Any]) -> None:
        for name, value in self._checked(properties).items():
            setattr(self.made, name, value)

    def delete(self, account_id: str, region_name: str) -> None:
        self.api.delete_authorizer(self.physical_resource_id)


class Deployment(_Resource, CloudFormationModel):  # type: ignore[misc]
    """Nothing to do: stages deploy by themselves, so routes are live as soon as they are made."""

    kind, attributes = "Deployment", ("DeploymentId",)

    @classmethod
    def make(cls, backend: Any, api: Any, properties: dict[str, Any]) -> "Deployment":
        return cls(api, f"deploy{len(api.stages)}", None, properties)

    def change(self, properties: dict[str, Any]) -> None:
        pass

    def delete(self, account_id: str, region_name: str) -> None:
        pass
