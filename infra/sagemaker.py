"""The other training branch: the same code as a SageMaker job, then collected by the function."""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from constructs import Construct

from driftloop.spec import Spec
from infra.definition import State, retry, task
from infra.permissions import allow, service, use_key
from infra.settings import Settings, SettingsError
from infra.shared import Shared

# The rule by which Step Functions hears that a `.sync` job ended; its name is AWS's.
_SYNC_RULE = "StepFunctionsGetEventsForSageMakerTrainingJobsRule"


def states(settings: Settings, collect_timeout: int) -> dict[str, State]:
    """``Train`` (the job) and ``Collect`` (its output → candidate)."""
    choice = settings.environment.sagemaker
    seconds = choice.max_minutes * 60
    return {
        "Train": {
            "Type": "Task",
            "Resource": "${TrainingJob}",
            "Parameters": {
                # At most 63 characters; a retry needs a name of its own.
                "TrainingJobName.$": (
                    f"States.Format('{settings.name}-{{}}-{{}}', $.run, $$.State.RetryCount)"
                ),
                "RoleArn": "${TrainingRole}",
                "AlgorithmSpecification": {
                    "TrainingImage": "${TrainingImage}",
                    "TrainingInputMode": "File",
                    "ContainerEntrypoint": ["python", "-m", "driftloop.container"],
                },
                "HyperParameters": {
                    "estimator.$": "$.choice.estimator",
                    "seed": "${Seed}",
                    "run.$": "$.run",
                },
                "InputDataConfig": [
                    _channel("training", "States.Format('s3://${Store}/{}', $.frame.key)"),
                    _channel("spec", "States.Format('s3://${Store}/${Model}/runs/{}/job/', $.run)"),
                ],
                "OutputDataConfig": {
                    "S3OutputPath.$":
                        "States.Format('s3://${Store}/${Model}/runs/{}/job/output', $.run)",
                    "KmsKeyId": "${Key}",
                },
                "ResourceConfig": {
                    "InstanceCount": 1,
                    "InstanceType": choice.instance_type,
                    "VolumeSizeInGB": choice.volume_gb,
                },
                "StoppingCondition": {"MaxRuntimeInSeconds": seconds},
                "Tags": [{"Key": "driftloop:model", "Value": "${Model}"}],
            },
            "ResultPath": "$.job",
            "TimeoutSeconds": seconds + 900,  # and the time to find and start a machine
            "Retry": retry(["SageMaker.AmazonSageMakerException", "SageMaker.ThrottlingException"]),
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Failed"}],
            "Next": "Collect",
        },
        "Collect": task(
            "train", "collect", collect_timeout, ResultPath="$.candidate", Next="Validate"
        ),
    }  # fmt: skip


def branch(
    scope: Construct, settings: Settings, shared: Shared, spec: Spec, machine_role: iam.Role
) -> dict[str, str]:
    """The job's role, what the machine may do with jobs; gives the definition's substitutions."""
    image = settings.environment.sagemaker.image
    if not image:
        raise SettingsError(
            f"environments.{settings.name}.sagemaker.image: is missing, and {spec.name} trains "
            "there; give the ECR URI of the training image (or say compute: lambda)"
        )
    role = _job_role(scope, shared, spec, image)
    jobs = f"arn:{Aws.PARTITION}:sagemaker:{Aws.REGION}:{Aws.ACCOUNT_ID}:training-job"
    rule = f"arn:{Aws.PARTITION}:events:{Aws.REGION}:{Aws.ACCOUNT_ID}:rule/{_SYNC_RULE}"
    for statement in (
        allow(
            ["sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob",
             "sagemaker:StopTrainingJob", "sagemaker:AddTags", "sagemaker:ListTags"],
            [f"{jobs}/{settings.name}-*"],
        ),
        allow(["events:PutTargets", "events:PutRule", "events:DescribeRule"], [rule]),
        allow(["iam:PassRole"], [role.role_arn],
              {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}),
    ):  # fmt: skip
        machine_role.add_to_policy(statement)
    return {
        "TrainingJob": service("sagemaker:createTrainingJob.sync"),
        "TrainingRole": role.role_arn, "TrainingImage": image, "Store": shared.store,
        "Model": spec.name, "Key": shared.key_arn, "Seed": str(spec.training.seed),
    }  # fmt: skip


def _job_role(scope: Construct, shared: Shared, spec: Spec, image: str) -> iam.Role:
    role = iam.Role(
        scope, "TrainingRole", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"),
        description=f"training jobs of {spec.name}",
    )  # fmt: skip
    store, logs = shared.store_arn, f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}"
    prefixes = [f"{spec.name}/frames/*", f"{spec.name}/runs/*"]
    for statement in (
        allow(["s3:GetObject"], [f"{store}/{prefix}" for prefix in prefixes]),
        allow(["s3:PutObject"], [f"{store}/{spec.name}/runs/*"]),
        allow(["s3:ListBucket"], [store], {"StringLike": {"s3:prefix": prefixes}}),
        use_key(shared, writes=True),
        allow(
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams",
             "logs:PutLogEvents"],
            [f"{logs}:log-group:/aws/sagemaker/TrainingJobs:*"],
        ),
        allow(["cloudwatch:PutMetricData"], ["*"],
              {"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/TrainingJobs"}}),
        allow(["ecr:GetAuthorizationToken"], ["*"]),
        allow(
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            [_repository(image)],
        ),
    ):  # fmt: skip
        role.add_to_policy(statement)
    return role


def _repository(image: str) -> str:
    """``<account>.dkr.ecr.<region>.<suffix>/<name>:<tag>`` → the repository's ARN."""
    host, _, name = image.partition("/")
    parts = host.split(".")
    if parts[1:3] != ["dkr", "ecr"] or not name:
        raise SettingsError(
            f"sagemaker.image: {image!r} is no ECR URI like "
            "123456789012.dkr.ecr.us-east-1.amazonaws.com/driftloop:1"
        )
    name = name.split("@")[0].split(":")[0]
    return f"arn:{Aws.PARTITION}:ecr:{parts[3]}:{parts[0]}:repository/{name}"


def _channel(name: str, uri: str) -> State:
    return {
        "ChannelName": name,
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix", "S3Uri.$": uri,
                "S3DataDistributionType": "FullyReplicated",
            }
        },
    }  # fmt: skip
