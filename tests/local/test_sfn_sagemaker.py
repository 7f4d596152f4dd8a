"""``createTrainingJob.sync`` in a state machine that a stack made, as that machine's role."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config

from infra.local.deployed import Deployed
from infra.local.permissions import check
from infra.local.server import Local

CODE = "import os, pathlib; (pathlib.Path(os.environ['SAGEMAKER_BASE_DIR'])/'model/m').touch()"
DEFINITION = {
    "StartAt": "Train",
    "States": {
        "Train": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
            "TimeoutSeconds": 60,
            "Parameters": {
                "TrainingJobName.$": "$.name",
                "RoleArn": "${JobRole}",
                "AlgorithmSpecification": {
                    "TrainingImage": "123456789012.dkr.ecr.us-east-1.amazonaws.com/train:1",
                    "TrainingInputMode": "File",
                    "ContainerEntrypoint": ["python", "-c"],
                    "ContainerArguments.$": "States.Array($.code)",
                },
                "HyperParameters": {"seed": "7"},
                "OutputDataConfig": {"S3OutputPath": "s3://store/out"},
                "ResourceConfig": {
                    "InstanceType": "ml.m5.large",
                    "InstanceCount": 1,
                    "VolumeSizeInGB": 5,
                },
                "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            },
            "ResultPath": "$.job",
            "End": True,
        }
    },
}


def role(service: str, *statements: dict[str, Any]) -> dict[str, Any]:
    def document(*inner: dict[str, Any]) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": list(inner)}

    trust = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    policies = [{"PolicyName": "p", "PolicyDocument": document(*statements)}]
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": document(trust), "Policies": policies},
    }


def allow(action: object, resource: object, **more: object) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


JOBS = "arn:aws:sagemaker:us-east-1:123456789012:training-job/*"
RULE = (
    "arn:aws:events:us-east-1:123456789012:rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule"
)
PASSED = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
TEMPLATE = {
    "Resources": {
        "Store": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "store"}},
        "JobRole": role(
            "sagemaker",
            allow("s3:PutObject", "arn:aws:s3:::store/out/*"),
            allow(["logs:*", "cloudwatch:PutMetricData", "ecr:*"], "*"),
        ),
        "MachineRole": role(
            "states",
            allow(
                [
                    "sagemaker:CreateTrainingJob",
                    "sagemaker:DescribeTrainingJob",
                    "sagemaker:StopTrainingJob",
                ],
                JOBS,
            ),
            allow("iam:PassRole", {"Fn::GetAtt": ["JobRole", "Arn"]}, Condition=PASSED),
            allow(["events:PutTargets", "events:PutRule", "events:DescribeRule"], RULE),
        ),
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "StateMachineName": "loop",
                "RoleArn": {"Fn::GetAtt": ["MachineRole", "Arn"]},
                "DefinitionString": json.dumps(DEFINITION),
                "DefinitionSubstitutions": {"JobRole": {"Fn::GetAtt": ["JobRole", "Arn"]}},
            },
        },
    }
}
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:loop"


@pytest.fixture(scope="module")
def local() -> Iterator[Local]:
    with Local(start=datetime(2013, 3, 1, tzinfo=UTC)) as running:
        client(running, "cloudformation").create_stack(
            StackName="s", TemplateBody=json.dumps(TEMPLATE), Capabilities=["CAPABILITY_IAM"]
        )
        yield running


def client(local: Local, service: str) -> Any:
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=local.endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


def execute(local: Local, name: str, code: str = CODE, **options: Any) -> dict[str, Any]:
    states = client(local, "stepfunctions")
    started = states.start_execution(
        stateMachineArn=MACHINE, name=name, input=json.dumps({"name": name, "code": code})
    )
    if options.get("abort_after"):
        time.sleep(options["abort_after"])
        states.stop_execution(executionArn=started["executionArn"])
    local.wait_idle(30)
    described: dict[str, Any] = states.describe_execution(executionArn=started["executionArn"])
    return described


def test_the_result_is_the_job_s_description(local: Local) -> None:
    ended = execute(local, "good")
    assert ended["status"] == "SUCCEEDED", ended
    job = json.loads(ended["output"])["job"]
    assert job["TrainingJobStatus"] == "Completed"
    assert job["ModelArtifacts"] == {"S3ModelArtifacts": "s3://store/out/good/output/model.tar.gz"}
    assert datetime.fromtimestamp(job["CreationTime"] / 1000, UTC).year == 2013


def test_a_failed_job_fails_the_task_with_its_description(local: Local) -> None:
    ended = execute(local, "bad", "raise SystemExit(2)")
    assert (ended["status"], ended["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(ended["cause"])["FailureReason"] == "AlgorithmError: , exit code: 2"


def test_a_refused_job_fails_the_task_by_the_service_s_error(local: Local) -> None:
    execute(local, "twice")
    ended = execute(local, "twice-" + "x" * 60)
    assert ended["error"] == "SageMaker.AmazonSageMakerException"
    assert "63" in ended["cause"]


def test_stopping_the_execution_stops_the_job(local: Local) -> None:
    ended = execute(local, "slow", "import time; time.sleep(60)", abort_after=1.5)
    assert ended["status"] == "ABORTED"
    job = client(local, "sagemaker").describe_training_job(TrainingJobName="slow")
    assert job["TrainingJobStatus"] == "Stopped"


def test_every_call_is_allowed_and_each_needed_statement_is_needed(local: Local) -> None:
    execute(local, "judged")
    policies = Deployed(local.account, local.region).policies()
    assert check(local.calls(), policies) == []
    machine = next(arn for arn in policies.identity if "MachineRole" in arn)
    document: Any = policies.identity[machine]["p"]
    for statement in list(document["Statement"]):
        document["Statement"].remove(statement)
        assert check(local.calls(), policies), statement
        document["Statement"].append(statement)
