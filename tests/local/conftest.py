"""One embedded AWS for the tests of its core, with a small stack of their own."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from infra.local import Local

FUNCTION = """
import os, time
print("init")
def handler(event, context):
    print("got", event)
    if event.get("boom"):
        raise ValueError("boom")
    if event.get("die"):
        os._exit(3)
    time.sleep(event.get("sleep", 0))
    return {"event": event, "left": context.get_remaining_time_in_millis(), "pid": os.getpid()}
"""

DEFINITION = {
    "StartAt": "Ask",
    "States": {
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {
                "FunctionName": "${Function}",
                "Payload": {"now.$": "$$.State.EnteredTime", "boom.$": "$.boom"},
            },
            "ResultSelector": {"answer.$": "$.Payload"},
            "Next": "Rest",
        },
        "Rest": {"Type": "Wait", "Seconds": 3600, "End": True},
    },
}

TEMPLATE = {
    "Resources": {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": "echo",
                "Handler": "index.handler",
                "Runtime": "python3.13",
                "Timeout": 2,
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"ZipFile": FUNCTION},
            },
        },
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "StateMachineName": "machine",
                "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                "DefinitionString": json.dumps(DEFINITION),
                "DefinitionSubstitutions": {"Function": {"Fn::GetAtt": ["Function", "Arn"]}},
            },
        },
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "TableName": "counter",
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            },
        },
    },
    "Outputs": {"Role": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}},
}


@pytest.fixture(scope="module")
def small() -> Iterator[Local]:
    """An embedded AWS whose clock stands still, with the stack ``small``."""
    with Local(speed=0) as local:
        client(local, "cloudformation").create_stack(
            StackName="small", TemplateBody=json.dumps(TEMPLATE)
        )
        yield local


def client(local: Local, service: str, role: str = "") -> Any:
    """A boto3 client of the operator, or of ``role``."""
    key, secret, token = local.credentials_for(role) if role else ("test", "test", None)
    return boto3.client(
        service,
        region_name=local.region,
        endpoint_url=local.endpoint,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
    )
