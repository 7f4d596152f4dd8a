"""Change sets are found by name and stack, as two stacks may have sets of one name.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteChangeSet.html

moto looks at the name only, and stumbles over one that is not there.
"""

from typing import TYPE_CHECKING, Any

from moto.cloudformation.exceptions import CloudFormationError
from moto.cloudformation.models import CloudFormationBackend
from moto.cloudformation.responses import CloudFormationResponse

from .originals import original

if TYPE_CHECKING:
    from .server import Local


class ChangeSetNotFound(CloudFormationError):  # type: ignore[misc]
    code = "ChangeSetNotFound"


def _arn(backend: CloudFormationBackend, name: str, stack: str | None) -> str:
    """The set's ARN; the latest, should there be more. Raises ChangeSetNotFound."""
    for arn, planned in reversed(backend.change_sets.items()):
        if name == arn:
            return str(arn)
        if name == planned.change_set_name and stack in (
            None,
            planned.stack_name,
            planned.stack_id,
        ):
            return str(arn)
    raise ChangeSetNotFound(f"ChangeSet [{name}] does not exist")


def install(local: "Local") -> None:
    def by_arn(operation: str) -> Any:
        answer = original(CloudFormationResponse, operation)

        def answered(response: CloudFormationResponse) -> Any:
            name, stack = response._get_param("ChangeSetName"), response._get_param("StackName")
            try:
                arn = _arn(response.cloudformation_backend, name, stack)
            except ChangeSetNotFound:
                if operation != "delete_change_set":
                    raise
                arn = "none"
            ask = response._get_param
            response._get_param = lambda key, *default: (
                arn if key == "ChangeSetName" else ask(key, *default)
            )
            return answer(response)

        return answered

    for operation in ("describe_change_set", "execute_change_set", "delete_change_set"):
        setattr(CloudFormationResponse, operation, by_arn(operation))
    CloudFormationBackend.delete_change_set = lambda backend, change_set_name: (
        backend.change_sets.pop(change_set_name, None) and None
    )
