"""Recorded calls against the policies a template deployed."""

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from infra.local.deployed import Deployed
from infra.local.permissions import Policies, check

REGION, ACCOUNT = "us-east-1", "123456789012"


@dataclass(frozen=True)
class Call:
    caller: str
    action: str
    resource: str
    context: Mapping[str, str | list[str]] = field(default_factory=dict)


def allow(action: object, resource: object, **more: object) -> dict[str, object]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def document(*statements: object) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


ROOT = {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}}
TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Key": {
            "Type": "AWS::KMS::Key",
            "Properties": {"KeyPolicy": document(allow("kms:*", "*", Principal=ROOT))},
        },
        "Store": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "BucketName": "store",
                "BucketEncryption": {
                    "ServerSideEncryptionConfiguration": [
                        {
                            "BucketKeyEnabled": True,
                            "ServerSideEncryptionByDefault": {
                                "SSEAlgorithm": "aws:kms",
                                "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]},
                            },
                        }
                    ]
                },
            },
        },
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "TableName": "registry",
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "BillingMode": "PAY_PER_REQUEST",
                "SSESpecification": {
                    "SSEEnabled": True,
                    "SSEType": "KMS",
                    "KMSMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]},
                },
            },
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"RoleName": "train", "AssumeRolePolicyDocument": document()},
        },
        "Policy": {
            "Type": "AWS::IAM::Policy",
            "Properties": {
                "PolicyName": "use",
                "Roles": [{"Ref": "Role"}],
                "PolicyDocument": document(
                    allow(
                        ["s3:GetObject", "s3:GetObjectVersion"],
                        {"Fn::Join": ["", [{"Fn::GetAtt": ["Store", "Arn"]}, "/flights/*"]]},
                    ),
                    allow(
                        "dynamodb:UpdateItem",
                        {"Fn::GetAtt": ["Table", "Arn"]},
                        Condition={
                            "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["MODEL#flights"]}
                        },
                    ),
                    allow(
                        "kms:Decrypt",
                        {"Fn::GetAtt": ["Key", "Arn"]},
                        Condition={
                            "StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}
                        },
                    ),
                ),
            },
        },
    }
}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/train"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        boto3.client("cloudformation", region_name=REGION).create_stack(
            StackName="s", TemplateBody=json.dumps(TEMPLATE), Capabilities=["CAPABILITY_IAM"]
        )
        yield Deployed(ACCOUNT, REGION)


def calls(world: Deployed) -> list[Call]:
    key = world.key_of("arn:aws:s3:::store/flights/x")
    assert key is not None
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/registry"
    assert world.key_of(table) == key
    return [
        Call(ROLE, "s3:GetObjectVersion", "arn:aws:s3:::store/flights/x"),
        Call(ROLE, "dynamodb:UpdateItem", table, {"dynamodb:LeadingKeys": ["MODEL#flights"]}),
        Call(ROLE, "kms:Decrypt", key, {"kms:ViaService": "s3.us-east-1.amazonaws.com"}),
        Call("operator", "iam:DeleteRole", ROLE),
    ]


def test_calls_the_template_allows_are_not_denied(world: Deployed) -> None:
    assert world.partition_key("registry") == "pk"
    assert check(calls(world) * 3, world.policies()) == []


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_taking_a_needed_statement_away_is_found(world: Deployed, taken: int) -> None:
    policies = copy.deepcopy(world.policies())
    document: Any = policies.identity[ROLE]["use"]
    needed = document["Statement"].pop(taken)
    (denied,) = check(calls(world) * 3, policies)
    assert denied.judged
    assert denied.times == 3
    assert denied.action in needed["Action"]
    assert check(calls(world), world.policies()) == []


def test_each_way_of_asking_for_more_is_denied(world: Deployed) -> None:
    read, update, decrypt, _ = calls(world)
    more = [
        replace(read, resource="arn:aws:s3:::store/other/x"),
        replace(read, action="s3:PutObject"),
        replace(update, context={"dynamodb:LeadingKeys": ["MODEL#flights", "MODEL#other"]}),
        replace(decrypt, context={"kms:ViaService": "dynamodb.us-east-1.amazonaws.com"}),
        replace(decrypt, context={}),
        replace(read, caller=f"arn:aws:iam::{ACCOUNT}:role/unknown"),
    ]
    denied = check(more, world.policies())
    assert len(denied) == len(more)
    assert "may not s3:GetObjectVersion on arn:aws:s3:::store/other/x" in str(denied[0])


def test_a_bucket_policy_that_denies_plain_http_lets_tls_pass(world: Deployed) -> None:
    read = calls(world)[0]
    plain: dict[str, Any] = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    plain["Condition"] = {"Bool": {"aws:SecureTransport": "false"}}
    boto3.client("s3", region_name=REGION).put_bucket_policy(
        Bucket="store", Policy=json.dumps(document(plain))
    )
    assert check([read], world.policies()) == []
    plain["Condition"]["Bool"]["aws:SecureTransport"] = "true"
    policies = replace(world.policies(), resource={"arn:aws:s3:::store": document(plain)})
    assert len(check([read], policies)) == 1


def test_a_key_policy_without_the_root_shuts_iam_out(world: Deployed) -> None:
    decrypt = calls(world)[2]
    own = document(allow("kms:*", "*", Principal={"AWS": "arn:aws:iam::1:role/x"}))
    policies = replace(world.policies(), resource={decrypt.resource: own})
    (denied,) = check([decrypt], policies)
    assert "key's policy" in denied.why


def test_a_boundary_caps(world: Deployed) -> None:
    read = calls(world)[0]
    capped = replace(world.policies(), boundary={ROLE: document(allow("dynamodb:*", "*"))})
    (denied,) = check([read], capped)
    assert "boundary" in denied.why


def test_what_cannot_be_judged_is_reported() -> None:
    condition = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    policies = Policies({ROLE: {"p": document(allow("*", "*", Condition=condition))}})
    (found,) = check([Call(ROLE, "s3:GetObject", "arn:aws:s3:::b/k")], policies)
    assert not found.judged
    assert "IpAddress" in found.why


@given(st.sampled_from(["s3:GetObject", "sqs:SendMessage"]), st.text("ab/*", min_size=1))
def test_a_literal_grant_allows_exactly_itself(action: str, name: str) -> None:
    resource = f"arn:aws:s3:::b/{name.replace('*', '')}"
    policies = Policies({ROLE: {"p": document(allow(action, resource))}})
    assert check([Call(ROLE, action, resource)], policies) == []
    assert len(check([Call(ROLE, action, resource + "x")], policies)) == 1
    assert len(check([Call(ROLE, action + "x", resource)], policies)) == 1
