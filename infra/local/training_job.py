"""One SageMaker training job, from ``Starting`` to its end.

AWS: "DescribeTrainingJob" (SageMaker API Reference): the statuses and their order. Inputs are
downloaded and the model uploaded in the name of the job's role; the process runs in real time,
what is stamped is the embedded clock's.
"""

import tempfile
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from . import container, log_stream

if TYPE_CHECKING:
    from .server import Local

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
DAY = 86_400


class DownloadFailed(Exception):
    """An input channel could not be had."""


class TrainingJob:
    """``request`` is what CreateTrainingJob was sent; ``describe()`` is what one may read of it."""

    def __init__(self, local: "Local", request: dict[str, Any], arn: str) -> None:
        self._local, self.request, self.arn = local, request, arn
        self.training_job_name = str(request["TrainingJobName"])
        self.training_job_status, self._secondary = "InProgress", "Starting"
        self.creation_time = self.last_modified_time = local.clock.now()
        self.training_end_time: datetime | None = None
        self._started: datetime | None = None
        self._failure = ""
        self._artifacts = ""
        self._transitions: list[dict[str, Any]] = []
        self._process: container.Process | None = None
        self._stop = threading.Event()
        self._stream = f"{self.training_job_name}/algo-1-{int(self.creation_time.timestamp())}"
        self._lock = threading.Lock()

    # --- what the API sees ---

    def describe(self) -> dict[str, Any]:
        """The fields of DescribeTrainingJob; times are datetimes."""
        told: dict[str, Any] = {
            **{name: value for name, value in self.request.items() if name != "Tags"},
            "TrainingJobArn": self.arn,
            "TrainingJobStatus": self.training_job_status,
            "SecondaryStatus": self._secondary,
            "CreationTime": self.creation_time,
            "LastModifiedTime": self.last_modified_time,
            "SecondaryStatusTransitions": [dict(one) for one in self._transitions],
            "EnableNetworkIsolation": bool(self.request.get("EnableNetworkIsolation")),
            "EnableInterContainerTrafficEncryption": False,
            "EnableManagedSpotTraining": False,
            "ProfilingStatus": "Disabled",
        }
        if self._started:
            told["TrainingStartTime"] = self._started
        if self.training_end_time:
            told["TrainingEndTime"] = self.training_end_time
            seconds = (self.training_end_time - (self._started or self.creation_time)).seconds
            told["TrainingTimeInSeconds"] = told["BillableTimeInSeconds"] = max(1, seconds)
        if self._artifacts:
            told["ModelArtifacts"] = {"S3ModelArtifacts": self._artifacts}
        if self._failure:
            told["FailureReason"] = self._failure
        return told

    def stop(self) -> None:
        """Ask the job to end, as StopTrainingJob does: it has 120 seconds to."""
        with self._lock:
            if self.training_job_status != "InProgress":
                return
            self.training_job_status = "Stopping"
        self._stop.set()
        if self._process:
            self._process.terminate()

    def kill(self) -> None:
        """End at once, with the embedded AWS itself."""
        self._stop.set()
        if self._process:
            self._process.kill()

    # --- what happens ---

    def run(self) -> None:
        """Run from beginning to end; every failure ends in a status, none is raised."""
        with tempfile.TemporaryDirectory(prefix="sagemaker-") as directory:
            base = Path(directory)
            try:
                self._run(base)
            except DownloadFailed as failed:
                self._end("Failed", "Failed", f"ClientError: Data download failed:{failed}")
            except (ClientError, BotoCoreError) as error:
                self._end("Failed", "Failed", f"ClientError: {error}")
            except OSError as error:
                self._end("Failed", "Failed", f"AlgorithmError: the container cannot run: {error}")

    def _run(self, base: Path) -> None:
        self._move("Starting", "Preparing the instances for training")
        container.lay_out(base, self.request)
        s3 = self._s3()
        self._move("Downloading", "Downloading input data")
        for channel in self.request.get("InputDataConfig", []):
            self._download(s3, channel, base / "input" / "data" / channel["ChannelName"])
        self._move("Training", "Training image download completed. Training in progress.")
        self._started = self._local.clock.now()
        code, in_time = self._train(base)
        if not self._stop.is_set() and in_time and code != 0:
            self._end("Failed", "Failed", container.failure(base, code))
            return
        self._move("Uploading", "Uploading generated training model")
        self._upload(s3, base)
        if self._stop.is_set():
            self._end("Stopped", "Stopped")
        elif not in_time:
            self._end("Stopped", "MaxRuntimeExceeded")
        else:
            self._end("Completed", "Completed")

    def _train(self, base: Path) -> tuple[int, bool]:
        """Run the process; return its exit code and whether it kept to the stopping condition."""
        limit = int(self.request["StoppingCondition"].get("MaxRuntimeInSeconds", DAY))
        self._process = container.Process(base, self.request, self._environment(), self._log)
        if self._stop.is_set():
            self._process.terminate()
        code = self._process.wait(limit)
        if code is not None:
            return code, True
        self._process.terminate()
        code = self._process.wait(container.GRACE_SECONDS + 5)
        return code if code is not None else -9, False

    def _download(self, s3: Any, channel: Mapping[str, Any], target: Path) -> None:
        uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        target.mkdir()
        folder = prefix.rpartition("/")[0]
        found = False
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                if item["Key"].endswith("/"):
                    continue
                found = True
                path = target / item["Key"].removeprefix(folder).lstrip("/")
                if not path.resolve().is_relative_to(target.resolve()):
                    raise DownloadFailed(f"key {item['Key']!r} leaves the channel's directory")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read())
        if not found:
            raise DownloadFailed(f"No S3 objects found under S3 URL {uri!r} given in input data")

    def _upload(self, s3: Any, base: Path) -> None:
        output = self.request["OutputDataConfig"]
        place = f"{output['S3OutputPath'].rstrip('/')}/{self.training_job_name}/output"
        bucket, _, prefix = place.removeprefix("s3://").partition("/")
        encrypted = (
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": output["KmsKeyId"]}
            if output.get("KmsKeyId")
            else {}
        )
        for name, directory in (("model", base / "model"), ("output", base / "output" / "data")):
            if name == "model" or any(directory.iterdir()):
                key = f"{prefix}/{name}.tar.gz"
                s3.put_object(Bucket=bucket, Key=key, Body=container.packed(directory), **encrypted)
        self._artifacts = f"{place}/model.tar.gz"

    # --- status, log, credentials ---

    def _move(self, secondary: str, message: str) -> None:
        now = self._local.clock.now()
        with self._lock:
            if self._transitions:
                self._transitions[-1].setdefault("EndTime", now)
            self._transitions.append(
                {"Status": secondary, "StartTime": now, "StatusMessage": message}
            )
            self._secondary, self.last_modified_time = secondary, now
        self._tell()

    def _end(self, status: str, secondary: str, failure: str = "") -> None:
        now = self._local.clock.now()
        with self._lock:
            if self._transitions:
                self._transitions[-1].setdefault("EndTime", now)
            self._transitions.append(
                {
                    "Status": secondary,
                    "StartTime": now,
                    "EndTime": now,
                    "StatusMessage": failure or f"Training job {status.lower()}",
                }
            )
            self._failure = failure
            self.training_end_time = self.last_modified_time = now
            self._secondary, self.training_job_status = secondary, status
        self._tell()

    def _tell(self) -> None:
        """EventBridge hears of every change (SageMaker Developer Guide, automating with events)."""
        self._local.put_event(
            {
                "source": "aws.sagemaker",
                "detail-type": "SageMaker Training Job State Change",
                "resources": [self.arn],
                "detail": in_milliseconds(self.describe()),
            }
        )

    def _log(self, line: str) -> None:
        now = self._local.clock.now()
        log_stream.append(self._local, LOG_GROUP, self._stream, line, now, create=True)

    def _s3(self) -> Any:
        key, secret, token = self._local.credentials_for(self.request["RoleArn"])
        return boto3.client(
            "s3",
            endpoint_url=self._local.endpoint,
            region_name=self._local.region,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(s3={"addressing_style": "path"}),
        )

    def _environment(self) -> dict[str, str]:
        key, secret, token = self._local.credentials_for(self.request["RoleArn"])
        return {
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_SESSION_TOKEN": token,
            "AWS_REGION": self._local.region,
            "AWS_DEFAULT_REGION": self._local.region,
            "AWS_ENDPOINT_URL": self._local.endpoint,
            "TRAINING_JOB_ARN": self.arn,
        }


def in_milliseconds(value: Any) -> Any:
    """The description as events and Step Functions carry it: times as epoch milliseconds."""
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    if isinstance(value, dict):
        return {name: in_milliseconds(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [in_milliseconds(inner) for inner in value]
    return value
