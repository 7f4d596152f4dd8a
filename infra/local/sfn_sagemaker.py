"""Step Functions and SageMaker training jobs: ``createTrainingJob`` and ``.sync``.

AWS: "Create and manage Amazon SageMaker AI jobs with Step Functions" (Step Functions Developer
Guide, connect-sagemaker) and its IAM page (sagemaker-iam). With ``.sync`` the result is the job's
description in PascalCase, times in epoch milliseconds; a job that does not complete fails the task
with States.TaskFailed and the description as its cause; a task that is given up stops its job.
moto's interpreter has no SageMaker integration.
"""

import contextlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import (
    CustomErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import (
    StatesErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task import state_task_factory
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_factory,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import (
    ResourceCondition,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (  # noqa: E501
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from .originals import original
from .training_job import in_milliseconds

if TYPE_CHECKING:
    from .server import Local

RULE = "StepFunctionsGetEventsForSageMakerTrainingJobsRule"
_ERRORS = {
    "ResourceInUse": "SageMaker.ResourceInUseException",
    "ResourceLimitExceeded": "SageMaker.ResourceLimitExceededException",
}
_PARAMETERS = {
    "AlgorithmSpecification",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "EnableNetworkIsolation",
    "Environment",
    "HyperParameters",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "RetryStrategy",
    "RoleArn",
    "StoppingCondition",
    "Tags",
    "TrainingJobName",
    "VpcConfig",
}


class _Waiting:
    """Asked again and again: the job's description once it is completed, None until then."""

    def __init__(self, task: "SageMakerTask", env: Any, client: Any, name: str) -> None:
        self._task, self._env, self._client, self._name = task, env, client, name

    def __call__(self) -> dict[str, Any] | None:
        job = self._client.describe_training_job(TrainingJobName=self._name)
        job.pop("ResponseMetadata", None)
        if job["TrainingJobStatus"] in ("InProgress", "Stopping"):
            return None
        told: dict[str, Any] = in_milliseconds(job)
        if job["TrainingJobStatus"] == "Completed":
            return told
        raise FailureEventException(
            self._task._failure(
                self._env,
                StatesErrorName(typ=StatesErrorNameType.StatesTaskFailed),
                StatesErrorNameType.StatesTaskFailed.to_name(),
                json.dumps(told, separators=(",", ":")),
            )
        )

    def give_up(self) -> None:
        """Stop the job, as Step Functions does; it may have ended by itself meanwhile."""
        with contextlib.suppress(ClientError):
            self._client.stop_training_job(TrainingJobName=self._name)


class SageMakerTask(StateTaskServiceCallback):  # type: ignore[misc]
    """The Task state ``arn:aws:states:::sagemaker:createTrainingJob[.sync]``."""

    local: "Local"

    def __init__(self) -> None:
        # moto's callback machinery needs a task token even where only .sync is offered.
        patterns = {ResourceCondition.Sync, ResourceCondition.WaitForTaskToken}
        super().__init__(supported_integration_patterns=patterns)

    def _get_supported_parameters(self) -> set[str] | None:
        known = self.resource.api_action == "createTrainingJob"
        return (
            _PARAMETERS
            if known and self.resource.condition in (None, ResourceCondition.Sync)
            else None
        )

    def _eval_service_task(
        self,
        env: Any,
        resource_runtime_part: Any,
        normalised_parameters: Any,
        state_credentials: Any,
    ) -> None:
        client = self._client(resource_runtime_part, state_credentials)
        response = client.create_training_job(**normalised_parameters)
        response.pop("ResponseMetadata", None)
        env.stack.append(response)

    def _build_sync_resolver(
        self,
        env: Any,
        resource_runtime_part: Any,
        normalised_parameters: Any,
        state_credentials: Any,
    ) -> Callable[[], Any]:
        env.stack.pop()  # what CreateTrainingJob answered
        name = normalised_parameters["TrainingJobName"]
        self._record_sync(state_credentials.role_arn, name)
        client = self._client(resource_runtime_part, state_credentials)
        return _Waiting(self, env, client, name)

    def _client(self, resource_runtime_part: Any, state_credentials: Any) -> Any:
        region = resource_runtime_part.region
        return self.local.executions.client(region, "sagemaker", state_credentials)

    def _eval_sync(self, *, env: Any, sync_resolver: Any, **patience: Any) -> Any:
        outcome = super()._eval_sync(env=env, sync_resolver=sync_resolver, **patience)
        if outcome is None:  # the execution was stopped, or the task timed out
            sync_resolver.give_up()
        return outcome

    def _record_sync(self, role: str, name: str) -> None:
        """What AWS does in the machine's name to hear of the end, or checks that it may do."""
        local = self.local
        rule = f"arn:aws:events:{local.region}:{local.account}:rule/{RULE}"
        for action in ("PutTargets", "PutRule", "DescribeRule"):
            local.record(role, f"events:{action}", rule)
        job = f"arn:aws:sagemaker:{local.region}:{local.account}:training-job/{name.lower()}"
        local.record(role, "sagemaker:StopTrainingJob", job)

    def _from_error(self, env: Any, ex: Exception) -> Any:
        if not isinstance(ex, ClientError):
            return super()._from_error(env=env, ex=ex)
        error = ex.response["Error"]
        name = _ERRORS.get(error["Code"], "SageMaker.AmazonSageMakerException")
        return self._failure(env, CustomErrorName(name), name, error["Message"])

    def _failure(self, env: Any, error: Any, name: str, cause: str) -> Any:
        return FailureEvent(
            env=env,
            error_name=error,
            event_type=HistoryEventType.TaskFailed,
            event_details=EventDetails(
                taskFailedEventDetails=TaskFailedEventDetails(
                    resource=self._get_sfn_resource(),
                    resourceType=self._get_sfn_resource_type(),
                    error=name,
                    cause=cause,
                )
            ),
        )


def install(local: "Local") -> None:
    """Let the interpreter know ``sagemaker`` as a service."""
    found = original(state_task_service_factory, "state_task_service_for")
    task = type("SageMakerTask", (SageMakerTask,), {"local": local})

    def state_task_service_for(service_name: str) -> Any:
        return task() if service_name == "sagemaker" else found(service_name)

    state_task_service_factory.state_task_service_for = state_task_service_for
    state_task_factory.state_task_service_for = state_task_service_for
