"""SageMaker training jobs: created, described, stopped, and run as local processes.

AWS: "CreateTrainingJob", "DescribeTrainingJob", "StopTrainingJob" (SageMaker API Reference). moto
answers CreateTrainingJob with a job that is completed already and runs nothing. What runs is
``training_job.py``; what SageMaker refuses is refused here.
"""

import json
import re
import threading
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult, EmptyResult
from moto.iam.models import iam_backends
from moto.sagemaker.exceptions import AWSValidationException, ResourceInUseException
from moto.sagemaker.models import sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse

from .permissions import Policies, judge
from .training_job import LOG_GROUP, TrainingJob

if TYPE_CHECKING:
    from .server import Local

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_CHANNEL = re.compile(r"[A-Za-z0-9.\-_]{1,64}")
_IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/([^:@]+).*")
_SERVED = {
    "TrainingJobName",
    "HyperParameters",
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "Tags",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "Environment",
}


def check_request(request: dict[str, Any]) -> None:
    """Refuse what SageMaker refuses, and name what is not served here."""
    name = str(request.get("TrainingJobName", ""))
    if len(name) > 63:
        _refuse(name, "trainingJobName", "Member must have length less than or equal to 63")
    if not _NAME.fullmatch(name):
        _refuse(name, "trainingJobName", f"Member must satisfy regular expression {_NAME.pattern}")
    for required in (
        "AlgorithmSpecification",
        "RoleArn",
        "OutputDataConfig",
        "ResourceConfig",
        "StoppingCondition",
    ):
        if request.get(required) is None:
            _refuse("null", required[0].lower() + required[1:], "Member must not be null")
    others = sorted(request.keys() - _SERVED)
    if others:
        raise AWSValidationException(f"not served here: {', '.join(others)}")
    parameters = request.get("HyperParameters") or {}
    if len(parameters) > 100:
        _refuse(len(parameters), "hyperParameters", "Member must have at most 100 entries")
    for key, value in parameters.items():
        if not isinstance(value, str) or len(key) > 256 or len(value) > 2500:
            _refuse(value, f"hyperParameters.{key}", "Map value must be a string of at most 2500")
    _check_algorithm(request["AlgorithmSpecification"])
    _check_channels(request.get("InputDataConfig") or [])
    if not str(request["OutputDataConfig"].get("S3OutputPath", "")).startswith("s3://"):
        _refuse(
            request["OutputDataConfig"], "outputDataConfig.s3OutputPath", "Member must be s3://"
        )


def _check_algorithm(specification: dict[str, Any]) -> None:
    if not specification.get("TrainingImage"):
        raise AWSValidationException("You must specify exactly one of TrainingImage, AlgorithmName")
    if specification.get("TrainingInputMode") != "File":
        raise AWSValidationException("only TrainingInputMode File is served here")
    if not specification.get("ContainerEntrypoint"):
        raise AWSValidationException("without ContainerEntrypoint there is nothing to run here")


def _check_channels(channels: list[dict[str, Any]]) -> None:
    names = [str(channel.get("ChannelName")) for channel in channels]
    if len(set(names)) < len(names) or len(names) > 20:
        _refuse(names, "inputDataConfig", "channel names must be unique, at most 20")
    for channel, name in zip(channels, names, strict=True):
        if not _CHANNEL.fullmatch(name):
            _refuse(name, "inputDataConfig.channelName", f"Member must match {_CHANNEL.pattern}")
        source = channel.get("DataSource", {}).get("S3DataSource", {})
        if source.get("S3DataType") != "S3Prefix" or not source.get("S3Uri", "").startswith(
            "s3://"
        ):
            raise AWSValidationException(f"channel {name}: only S3Prefix of an s3:// URI is served")


def _refuse(value: object, where: str, constraint: str) -> None:
    raise AWSValidationException(
        f"1 validation error detected: Value '{value}' at '{where}' failed to satisfy"
        f" constraint: {constraint}"
    )


class TrainingJobs:
    """The jobs of one embedded AWS, kept in moto's backend so that listing finds them."""

    def __init__(self, local: "Local") -> None:
        self._local = local
        self._jobs: dict[str, TrainingJob] = sagemaker_backends[local.account][
            local.region
        ].training_jobs

    def create(self, request: dict[str, Any]) -> TrainingJob:
        """Start a job on a thread of its own; the clock waits for it."""
        check_request(request)
        name, local = request["TrainingJobName"], self._local
        arn = f"arn:aws:sagemaker:{local.region}:{local.account}:training-job/{name.lower()}"
        if name in self._jobs:
            raise ResourceInUseException(
                "Training job names must be unique within an AWS account and region, and a training"
                f" job with this name already exists ({arn})"
            )
        self._check_role(request["RoleArn"])
        job = self._jobs[name] = TrainingJob(local, request, arn)
        self._record(job)
        busy = local.clock.busy(f"training job {name}")
        busy.__enter__()

        def run() -> None:
            try:
                job.run()
            finally:
                busy.__exit__(None, None, None)

        threading.Thread(target=run, name=f"training-{name}", daemon=True).start()
        return job

    def get(self, name: str) -> TrainingJob:
        if name not in self._jobs:
            raise AWSValidationException("Requested resource not found.")
        return self._jobs[name]

    def stop_job(self, name: str) -> None:
        job = self.get(name)
        if job.training_job_status != "InProgress":
            raise AWSValidationException(
                "The request was rejected because the training job is in status"
                f" {job.training_job_status}."
            )
        job.stop()

    def stop(self) -> None:
        """Kill what still runs."""
        for job in self._jobs.values():
            job.kill()

    def _check_role(self, arn: str) -> None:
        """SageMaker must be able to assume the role."""
        roles = iam_backends[self._local.account]["aws"].roles.values()
        role = next((role for role in roles if role.arn == arn), None)
        trust = json.loads(role.assume_role_policy_document or "{}") if role else {}
        service = "sagemaker.amazonaws.com"
        trusted = judge(service, "sts:AssumeRole", arn, {}, Policies({}, {arn: trust}))
        if not trusted.allowed:
            raise AWSValidationException(
                f"Could not assume role {arn}. Please ensure that the role exists and allows"
                f" principal '{service}' to assume the role."
            )

    def _record(self, job: TrainingJob) -> None:
        """What SageMaker does in the role's name besides what goes over the wire here."""
        local, role = self._local, job.request["RoleArn"]
        group = f"arn:aws:logs:{local.region}:{local.account}:log-group:{LOG_GROUP}:log-stream:"
        for action in ("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents"):
            local.record(role, f"logs:{action}", group)
        local.record(
            role,
            "cloudwatch:PutMetricData",
            "*",
            {"cloudwatch:namespace": "/aws/sagemaker/TrainingJobs"},
        )
        image = _IMAGE.fullmatch(job.request["AlgorithmSpecification"]["TrainingImage"])
        if image:
            account, region, name = image.groups()
            repository = f"arn:aws:ecr:{region}:{account}:repository/{name}"
            local.record(role, "ecr:GetAuthorizationToken", "*")
            for action in (
                "BatchCheckLayerAvailability",
                "GetDownloadUrlForLayer",
                "BatchGetImage",
            ):
                local.record(role, f"ecr:{action}", repository)


def install(local: "Local") -> TrainingJobs:
    """Run the jobs moto is asked for; ``local.training``, to be stopped in the end."""
    local.training = jobs = TrainingJobs(local)

    def create_training_job(self: SageMakerResponse) -> ActionResult:
        return ActionResult({"TrainingJobArn": jobs.create(json.loads(self.body)).arn})

    def describe_training_job(self: SageMakerResponse) -> ActionResult:
        return ActionResult(jobs.get(json.loads(self.body)["TrainingJobName"]).describe())

    def stop_training_job(self: SageMakerResponse) -> EmptyResult:
        jobs.stop_job(json.loads(self.body)["TrainingJobName"])
        return EmptyResult()

    SageMakerResponse.create_training_job = create_training_job
    SageMakerResponse.describe_training_job = describe_training_job
    SageMakerResponse.stop_training_job = stop_training_job
    return jobs
