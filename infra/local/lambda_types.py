"""Functions, their versions, aliases, layers and permissions as CloudFormation declares them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Lambda.html
"""

import base64
import io
import json
import zipfile
from typing import Any

from moto.awslambda.models import LambdaBackend, lambda_backends
from moto.cloudformation.exceptions import ValidationError

from .resource_type import Made, Properties, Scope, register


def _backend(scope: Scope) -> LambdaBackend:
    return lambda_backends[scope.account][scope.region]


def _put_function(scope: Scope, name: str, properties: Properties) -> Made:
    backend = _backend(scope)
    if len(properties.get("Layers", [])) > 5:
        raise ValidationError(message=f"Function {name}: 5 layers at most.")
    wanted = {key: properties[key] for key in _PASSED_ON if key in properties}
    for key in ("MemorySize", "Timeout"):
        if key in wanted:
            wanted[key] = int(wanted[key])
    if name in backend._lambdas._functions:
        function: Any = backend.get_function(name)
        function.update_configuration(wanted)
        function.update_function_code(_code(properties["Code"]))
    else:
        function = backend.create_function(
            {**wanted, "FunctionName": name, "Code": _code(properties["Code"])}
        )
    function.dead_letter_arn = (properties.get("DeadLetterConfig") or {}).get("TargetArn")
    logging = properties.get("LoggingConfig") or {}
    function.logs_group_name = logging.get("LogGroup") or f"/aws/lambda/{name}"
    return Made(name, {"Arn": function.function_arn})


_PASSED_ON = (
    *("Architectures", "Description", "Environment", "EphemeralStorage", "Handler", "Layers"),
    *("MemorySize", "ReservedConcurrentExecutions", "Role", "Runtime", "Timeout"),
    "TracingConfig",
)


def _code(code: Properties) -> Properties:
    """Source text in the template becomes a zip with one ``index.py``, as CloudFormation does."""
    if "ZipFile" not in code:
        return dict(code)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", code["ZipFile"])
    return {"ZipFile": base64.b64encode(packed.getvalue()).decode()}


def _remove_function(scope: Scope, ref: str, properties: Properties) -> None:
    if ref in _backend(scope)._lambdas._functions:
        _backend(scope).delete_function(ref)


register(
    "AWS::Lambda::Function",
    put=_put_function,
    remove=_remove_function,
    name_property="FunctionName",
    attributes=("Arn",),
    known=(*_PASSED_ON, "Code", "DeadLetterConfig", "FunctionName", "LoggingConfig", "Tags"),
)


def _put_version(scope: Scope, name: str, properties: Properties) -> Made:
    backend = _backend(scope)
    published: Any = backend.publish_version(
        properties["FunctionName"], properties.get("Description", "")
    )
    attributes = {"Version": str(published.version), "FunctionArn": published.function_arn}
    return Made(published.function_arn, attributes)


def _keep(scope: Scope, ref: str, properties: Properties) -> None:
    """A published version goes with its function: a run under way may still need it."""


register(
    "AWS::Lambda::Version",
    put=_put_version,
    remove=_keep,
    attributes=("Version", "FunctionArn"),
    known=("CodeSha256", "Description", "FunctionName"),
)


def _put_alias(scope: Scope, name: str, properties: Properties) -> Made:
    backend = _backend(scope)
    function = backend.get_function(properties["FunctionName"]).function_name
    alias, version = properties["Name"], str(properties["FunctionVersion"])
    known = {a.name for a in backend.list_aliases(function)}
    change = backend.update_alias if alias in known else backend.create_alias
    made: Any = change(
        name=alias,
        function_name=function,
        function_version=version,
        description=properties.get("Description", ""),
        routing_config=None,
    )
    return Made(made.arn)


def _remove_alias(scope: Scope, ref: str, properties: Properties) -> None:
    function = ref.split(":")[6]
    if function in _backend(scope)._lambdas._functions:
        _backend(scope).delete_alias(properties["Name"], function)


register(
    "AWS::Lambda::Alias",
    put=_put_alias,
    remove=_remove_alias,
    known=("Description", "FunctionName", "FunctionVersion", "Name"),
)


def _put_permission(scope: Scope, name: str, properties: Properties) -> Made:
    policy: Any = _backend(scope).get_function(properties["FunctionName"]).policy
    _forget(policy, name)
    # a permission on a version or an alias is for that one alone
    qualifier = properties["FunctionName"].partition(":function:")[2].partition(":")[2]
    policy.add_statement(json.dumps({**properties, "StatementId": name}), qualifier or None)
    return Made(name)


def _remove_permission(scope: Scope, ref: str, properties: Properties) -> None:
    function = properties["FunctionName"].rpartition("function:")[2].split(":")[0]
    if function in _backend(scope)._lambdas._functions:
        _forget(_backend(scope).get_function(function).policy, ref)


def _forget(policy: Any, sid: str) -> None:
    policy.statements[:] = [s for s in policy.statements if s.get("Sid") != sid]


register(
    "AWS::Lambda::Permission",
    put=_put_permission,
    remove=_remove_permission,
    known=("Action", "FunctionName", "Principal", "SourceAccount", "SourceArn"),
)


def _put_layer(scope: Scope, name: str, properties: Properties) -> Made:
    known = ("Description", "CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo")
    spec = {key: properties[key] for key in known if key in properties}
    name = properties.get("LayerName") or name
    layer: Any = _backend(scope).publish_layer_version(
        {**spec, "LayerName": name, "Content": properties["Content"]}
    )
    return Made(layer.arn)


register(
    "AWS::Lambda::LayerVersion",
    put=_put_layer,
    remove=_keep,
    known=(
        *("CompatibleArchitectures", "CompatibleRuntimes", "Content", "Description"),
        *("LayerName", "LicenseInfo"),
    ),
)


def _put_async(scope: Scope, name: str, properties: Properties) -> Made:
    function: Any = _backend(scope).get_function(
        properties["FunctionName"], _plain(properties.get("Qualifier"))
    )
    function.async_settings = dict(properties)
    return Made(name)


def _plain(qualifier: str | None) -> str | None:
    return None if qualifier in (None, "$LATEST") else qualifier


def _remove_async(scope: Scope, ref: str, properties: Properties) -> None:
    if properties["FunctionName"] in _backend(scope)._lambdas._functions:
        function: Any = _backend(scope).get_function(properties["FunctionName"])
        function.async_settings = {}


register(
    "AWS::Lambda::EventInvokeConfig",
    put=_put_async,
    remove=_remove_async,
    known=(
        *("DestinationConfig", "FunctionName", "MaximumEventAgeInSeconds"),
        *("MaximumRetryAttempts", "Qualifier"),
    ),
)
