"""Training jobs as local processes, under the container contract."""

import io
import json
import tarfile
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from infra.local import sagemaker, sfn_sagemaker
from infra.local.clock import Clock

REGION, ACCOUNT = "us-east-1", "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/job"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
CODE = """
import json, os, pathlib, sys
base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
given = json.loads((base / "input/config/hyperparameters.json").read_text())
channels = json.loads((base / "input/config/inputdataconfig.json").read_text())
hosts = json.loads((base / "input/config/resourceconfig.json").read_text())["hosts"]
print("training", given["estimator"], *sorted(channels), *hosts)
data = (base / "input/data/training/part/a.csv").read_text()
(base / "model/sub").mkdir()
(base / "model/sub/plan.json").write_text(json.dumps({"data": data, **given}))
"""


class FakeLocal:
    """As much of ``Local`` as a training job needs, around a real moto server."""

    account, region = ACCOUNT, REGION

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.clock = Clock(start=datetime(2013, 3, 1, tzinfo=UTC))
        self.events: list[dict[str, Any]] = []
        self.records: list[tuple[Any, ...]] = []
        self.on_log: list[Any] = []

    def credentials_for(self, role: str) -> tuple[str, str, str]:
        return "ASIA", "secret", "token"

    def put_event(self, event: dict[str, Any]) -> None:
        self.events.append(event)

    def record(self, *call: Any) -> None:
        self.records.append(call)


class World:
    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.local = FakeLocal(endpoint)
        self.jobs = sagemaker.install(self.local)  # type: ignore[arg-type]
        sfn_sagemaker.install(self.local)  # type: ignore[arg-type]
        self.s3, self.sagemaker, self.logs = map(self.client, ("s3", "sagemaker", "logs"))

    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
        )

    def request(self, name: str = "flights-1", code: str = CODE, **more: Any) -> dict[str, Any]:
        return {
            "TrainingJobName": name,
            "RoleArn": ROLE,
            "AlgorithmSpecification": {
                "TrainingImage": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/driftloop:1",
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["python", "-c"],
                "ContainerArguments": [code],
            },
            "HyperParameters": {"estimator": "logistic_regression"},
            "InputDataConfig": [
                {
                    "ChannelName": "training",
                    "DataSource": {
                        "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://store/frames/"}
                    },
                }
            ],
            "OutputDataConfig": {"S3OutputPath": "s3://store/out"},
            "ResourceConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 5,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            **more,
        }

    def finished(self, name: str = "flights-1") -> dict[str, Any]:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            job: dict[str, Any] = self.sagemaker.describe_training_job(TrainingJobName=name)
            if job["TrainingJobStatus"] not in ("InProgress", "Stopping"):
                return job
            time.sleep(0.05)
        raise AssertionError("the job does not end")

    def run(self, **options: Any) -> dict[str, Any]:
        self.sagemaker.create_training_job(**self.request(**options))
        return self.finished()


@pytest.fixture
def world() -> Iterator[World]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    made = World(f"http://127.0.0.1:{port}")
    made.client("iam").create_role(RoleName="job", AssumeRolePolicyDocument=json.dumps(TRUST))
    made.s3.create_bucket(Bucket="store")
    made.s3.put_object(Bucket="store", Key="frames/part/a.csv", Body=b"1,2")
    yield made
    made.jobs.stop()
    made.local.clock.stop()
    reset = urllib.request.Request(f"{made.endpoint}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset, timeout=5).close()
    server.stop()


def test_a_job_trains_and_leaves_its_model(world: World) -> None:
    job = world.run()
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Completed", "Completed")
    artifacts = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert artifacts == "s3://store/out/flights-1/output/model.tar.gz"
    packed = world.s3.get_object(Bucket="store", Key="out/flights-1/output/model.tar.gz")["Body"]
    with tarfile.open(fileobj=io.BytesIO(packed.read())) as archive:
        member = archive.extractfile("sub/plan.json")
        assert member is not None
        assert json.loads(member.read()) == {"data": "1,2", "estimator": "logistic_regression"}
    assert job["CreationTime"].astimezone(UTC).date() == datetime(2013, 3, 1).date()
    statuses = [one["Status"] for one in job["SecondaryStatusTransitions"]]
    assert statuses == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert world.local.events[-1]["detail"]["TrainingJobStatus"] == "Completed"
    lines = world.logs.filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs")["events"]
    assert [line["message"] for line in lines] == ["training logistic_regression training algo-1"]


def test_a_failure_tells_what_the_container_wrote(world: World) -> None:
    code = (
        "import os, pathlib, sys;"
        "pathlib.Path(os.environ['SAGEMAKER_BASE_DIR'], 'output/failure').write_text('no rows');"
        "sys.exit(3)"
    )
    job = world.run(code=code)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: no rows, exit code: 3"
    assert "ModelArtifacts" not in job or not job["ModelArtifacts"]


def test_missing_input_fails_the_job(world: World) -> None:
    world.s3.delete_object(Bucket="store", Key="frames/part/a.csv")
    job = world.run()
    assert job["TrainingJobStatus"] == "Failed"
    assert "No S3 objects found" in job["FailureReason"]


def test_the_stopping_condition_is_enforced(world: World) -> None:
    job = world.run(
        code="import time; time.sleep(60)", StoppingCondition={"MaxRuntimeInSeconds": 1}
    )
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_a_job_may_be_stopped_once(world: World) -> None:
    world.sagemaker.create_training_job(**world.request(code="import time; time.sleep(60)"))
    world.sagemaker.stop_training_job(TrainingJobName="flights-1")
    assert world.finished()["TrainingJobStatus"] == "Stopped"
    with pytest.raises(ClientError, match="is in status Stopped"):
        world.sagemaker.stop_training_job(TrainingJobName="flights-1")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"TrainingJobName": "x" * 64}, "less than or equal to 63"),
        ({"TrainingJobName": "no_underscore"}, "regular expression"),
        ({"HyperParameters": {"spec": "x" * 2501}}, "2500"),
        ({"HyperParameters": {"seed": 7}}, "string"),
        ({"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/none"}, "Could not assume role"),
        ({"RoleArn": None}, "must not be null"),
        ({"OutputDataConfig": {"S3OutputPath": "/tmp"}}, "s3OutputPath"),
        ({"VpcConfig": {}}, "not served here: VpcConfig"),
        ({"AlgorithmSpecification": {"TrainingInputMode": "File"}}, "TrainingImage"),
    ],
)
def test_what_sagemaker_refuses(world: World, change: dict[str, Any], why: str) -> None:
    request = {**world.request(), **change}
    with pytest.raises(ClientError, match=why):
        world.sagemaker.create_training_job(**{k: v for k, v in request.items() if v is not None})


def test_a_name_is_taken_for_ever(world: World) -> None:
    world.run()
    with pytest.raises(ClientError, match="already exists") as refused:
        world.sagemaker.create_training_job(**world.request())
    assert refused.value.response["Error"]["Code"] == "ResourceInUse"


def test_a_key_that_leaves_the_channel_is_not_written(world: World) -> None:
    world.s3.put_object(Bucket="store", Key="frames/../../../evil", Body=b"x")
    job = world.run()
    assert job["TrainingJobStatus"] == "Failed"
    assert "leaves" in job["FailureReason"]
