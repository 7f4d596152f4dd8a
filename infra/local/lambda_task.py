"""A task whose resource is a function: Lambda's own refusals keep their names.

https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html

moto calls each of them "Exception", which no Retry or Catch of a definition names.
"""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from moto.stepfunctions.parser.api import HistoryEventType, LambdaFunctionFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import (
    CustomErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_lambda import (
    StateTaskLambda,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from .originals import original

if TYPE_CHECKING:
    from .server import Local


def install(local: "Local") -> None:
    other = original(StateTaskLambda, "_from_error")

    def named(task: Any, env: Any, ex: Exception) -> FailureEvent:
        if not isinstance(ex, ClientError):
            return other(task, env, ex)
        answer: Any = ex.response
        error = f"Lambda.{answer['Error']['Code']}"
        details = LambdaFunctionFailedEventDetails(
            error=error,
            cause=f"{answer['Error']['Message']} (Service: AWSLambda;"
            f" Status Code: {answer['ResponseMetadata']['HTTPStatusCode']})",
        )
        return FailureEvent(
            env=env,
            error_name=CustomErrorName(error),
            event_type=HistoryEventType.LambdaFunctionFailed,
            event_details=EventDetails(lambdaFunctionFailedEventDetails=details),
        )

    StateTaskLambda._from_error = named
