"""The npm ``cdk`` command bootstraps, deploys, deploys again and destroys, none the wiser."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from infra.local import Local
from tests.cdk import Cdk
from tests.local.conftest import client

_BUCKET = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"
_ROLE = (
    "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/cdk-hnb659fds-%s-role-123456789012-us-east-1"
)


class Assembly:
    """A small cloud assembly written by hand, in the shape of the default synthesizer's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.artifacts: dict[str, Any] = {}
        self.files: dict[str, Any] = {}

    def asset(self, name: str, packaging: str) -> str:
        """Declare a file or folder as an asset of the next stack; returns its object key."""
        path = self.folder / name
        parts = sorted(path.rglob("*")) if path.is_dir() else [path]
        digest = sha256(b"".join(p.read_bytes() for p in parts if p.is_file())).hexdigest()
        key = digest + (".zip" if packaging == "zip" else ".json")
        place = {
            "bucketName": _BUCKET,
            "objectKey": key,
            "assumeRoleArn": _ROLE % "file-publishing",
        }
        self.files[digest] = {
            "source": {"path": name, "packaging": packaging},
            "destinations": {"here": place},
        }
        return key

    def stack(self, name: str, resources: dict[str, Any], outputs: dict[str, Any]) -> None:
        template = {"Resources": resources, "Outputs": outputs}
        (self.folder / f"{name}.template.json").write_text(json.dumps(template))
        key = self.asset(f"{name}.template.json", "file")
        manifest = {"version": "36.0.0", "files": self.files, "dockerImages": {}}
        (self.folder / f"{name}.assets.json").write_text(json.dumps(manifest))
        before = [n for n, a in self.artifacts.items() if a["type"].startswith("aws:")]
        self.artifacts[f"{name}.assets"] = {
            "type": "cdk:asset-manifest",
            "properties": {"file": f"{name}.assets.json", "requiresBootstrapStackVersion": 6},
        }
        self.artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": "aws://123456789012/us-east-1",
            "properties": {
                "templateFile": f"{name}.template.json",
                "validateOnSynth": False,
                "assumeRoleArn": _ROLE % "deploy",
                "cloudFormationExecutionRoleArn": _ROLE % "cfn-exec",
                "stackTemplateAssetObjectUrl": f"s3://{_BUCKET}/{key}",
                "requiresBootstrapStackVersion": 6,
                "additionalDependencies": [f"{name}.assets"],
            },
            "dependencies": [*before, f"{name}.assets"],
            "displayName": name,
        }
        self.files = {}
        (self.folder / "manifest.json").write_text(
            json.dumps({"version": "36.0.0", "artifacts": self.artifacts})
        )


def assembly(folder: Path, answer: str, version: str) -> Path:
    """Two stacks: one exports a role, one imports it for a function that gives ``answer``."""
    made = Assembly(folder)
    trust = {"Version": "2012-10-17", "Statement": []}
    made.stack(
        "first",
        {"Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}}},
        {"Role": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}, "Export": {"Name": "first:Role"}}},
    )
    (folder / "code").mkdir()
    (folder / "code" / "index.py").write_text(
        f"def handler(event, context):\n    return {answer!r}"
    )
    made.stack(
        "second",
        {
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "FunctionName": "answer",
                    "Runtime": "python3.13",
                    "Handler": "index.handler",
                    "Role": {"Fn::ImportValue": "first:Role"},
                    "Code": {"S3Bucket": {"Fn::Sub": _BUCKET}, "S3Key": made.asset("code", "zip")},
                },
            },
            version: {
                "Type": "AWS::Lambda::Version",
                "Properties": {"FunctionName": {"Ref": "Function"}},
            },
            "Live": {
                "Type": "AWS::Lambda::Alias",
                "Properties": {
                    "FunctionName": {"Ref": "Function"},
                    "FunctionVersion": {"Fn::GetAtt": [version, "Version"]},
                    "Name": "live",
                },
            },
        },
        {"Name": {"Value": {"Ref": "Function"}}},
    )
    return folder


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    with Local(home=tmp_path_factory.mktemp("aws")) as running:
        yield running


def answer(local: Local) -> Any:
    result = client(local, "lambda").invoke(FunctionName="answer", Qualifier="live")
    return json.loads(result["Payload"].read())


@pytest.mark.slow
def test_bootstrap_deploy_again_and_destroy(local: Local, tmp_path: Path) -> None:
    cdk = Cdk(local.endpoint, tmp_path)
    assert "bootstrapped" in cdk.bootstrap()
    printed = cdk.deploy(assembly(tmp_path / "a", "one", "VersionA"))
    assert "second.Name = answer" in printed
    assert answer(local) == "one"
    again = cdk.deploy(tmp_path / "a")
    assert "(no changes)" in again
    cdk.deploy(assembly(tmp_path / "b", "two", "VersionB"))
    assert answer(local) == "two"
    cdk("destroy", "--app", tmp_path / "b", "--all", "--force")
    stacks = client(local, "cloudformation").describe_stacks()["Stacks"]
    assert [stack["StackName"] for stack in stacks] == ["CDKToolkit"]
