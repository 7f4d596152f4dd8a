"""Deploying a synthesized assembly: assets into the bootstrap bucket, stacks in order.

https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html
https://github.com/aws/aws-cdk/tree/main/packages/%40aws-cdk/cloud-assembly-schema

The templates go to CloudFormation as they are; what ``cdk bootstrap`` would have made is here from
the start.
"""

import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.s3.models import s3_backends
from moto.ssm.models import ssm_backends

from .credentials import OPERATOR_KEY, OPERATOR_SECRET

if TYPE_CHECKING:
    from .server import Local

_QUALIFIER = "hnb659fds"
_BOOTSTRAP_VERSION = "28"
_CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")


class DeployError(Exception):
    """A stack could not be put in place; the message names it and says why."""


def deploy(local: "Local", assembly: Path, stacks: list[str] | None = None) -> dict[str, Any]:
    """Create or update the stacks of ``cdk.out``; returns outputs by stack name.

    ``stacks`` limits them by name. Raises DeployError.
    """
    bootstrap(local)
    manifest = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    wanted = {
        name: artifact
        for name, artifact in manifest.items()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    outputs: dict[str, Any] = {}
    for name in _in_order(wanted):
        properties = wanted[name]["properties"]
        stack = properties.get("stackName", name)
        if stacks is not None and stack not in stacks:
            continue
        for dependency in wanted[name].get("dependencies", []):
            if manifest[dependency]["type"] == "cdk:asset-manifest":
                _publish(local, assembly, manifest[dependency]["properties"]["file"])
        outputs[stack] = _put_stack(local, stack, _resolve(local, _template_url(properties)))
    return outputs


def bootstrap(local: "Local") -> None:
    """The asset bucket and the version parameter, as ``cdk bootstrap`` leaves them."""
    s3 = s3_backends[local.account]["aws"]
    bucket = _resolve(local, f"cdk-{_QUALIFIER}-assets-${{AWS::AccountId}}-${{AWS::Region}}")
    if bucket not in s3.buckets:
        s3.create_bucket(bucket, local.region)
    parameter = f"/cdk-bootstrap/{_QUALIFIER}/version"
    ssm = ssm_backends[local.account][local.region]
    if ssm.get_parameter(parameter) is None:
        ssm.put_parameter(
            name=parameter, description="", value=_BOOTSTRAP_VERSION, parameter_type="String",
            allowed_pattern="", keyid=None, overwrite=False, tags=[], data_type="text", tier=None,
            policies=None,
        )  # fmt: skip


def _template_url(properties: dict[str, Any]) -> str:
    return str(properties["stackTemplateAssetObjectUrl"]).removeprefix("s3://")


def _in_order(artifacts: dict[str, Any]) -> list[str]:
    """Names with every stack behind those it depends on."""
    ordered: list[str] = []

    def visit(name: str) -> None:
        for dependency in artifacts[name].get("dependencies", []):
            if dependency in artifacts:
                visit(dependency)
        if name not in ordered:
            ordered.append(name)

    for name in artifacts:
        visit(name)
    return ordered


def _publish(local: "Local", assembly: Path, manifest: str) -> None:
    files = json.loads((assembly / manifest).read_text()).get("files", {})
    s3 = s3_backends[local.account]["aws"]
    for asset in files.values():
        for place in asset["destinations"].values():
            bucket, key = _resolve(local, place["bucketName"]), place["objectKey"]
            if s3.head_object(bucket, key) is None:
                s3.put_object(bucket, key, _packaged(assembly, asset["source"]))


def _packaged(assembly: Path, source: dict[str, str]) -> bytes:
    path = assembly / source["path"]
    if source.get("packaging") != "zip":
        return path.read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(f for f in path.rglob("*") if f.is_file()):
            archive.write(file, file.relative_to(path))
    return packed.getvalue()


def _resolve(local: "Local", text: str) -> str:
    for name, value in (
        ("AWS::AccountId", local.account),
        ("AWS::Region", local.region),
        ("AWS::Partition", "aws"),
    ):
        text = text.replace("${" + name + "}", value)
    return text


def _put_stack(local: "Local", name: str, template: str) -> dict[str, str]:
    formation = boto3.client(
        "cloudformation",
        region_name=local.region,
        endpoint_url=local.endpoint,
        aws_access_key_id=OPERATOR_KEY,
        aws_secret_access_key=OPERATOR_SECRET,
        config=Config(read_timeout=600, retries={"total_max_attempts": 1}),
    )
    asked: Any = {
        "StackName": name,
        "TemplateURL": f"{local.endpoint}/{template}",
        "Capabilities": _CAPABILITIES,
    }
    try:
        if _exists(formation, name):
            formation.update_stack(**asked)
        else:
            formation.create_stack(**asked)
        stack = formation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        message = error.response["Error"]["Message"]
        if "No updates are to be performed" not in message:
            raise DeployError(f"{name}: {message}") from error
        stack = formation.describe_stacks(StackName=name)["Stacks"][0]
    if not stack["StackStatus"].endswith("_COMPLETE") or "ROLLBACK" in stack["StackStatus"]:
        reason = stack.get("StackStatusReason", "")
        raise DeployError(f"{name}: {stack['StackStatus']} {reason}".rstrip())
    return {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])}


def _exists(formation: Any, name: str) -> bool:
    try:
        stacks = formation.describe_stacks(StackName=name)["Stacks"]
    except ClientError:
        return False
    return any(stack["StackStatus"] != "DELETE_COMPLETE" for stack in stacks)
