"""What is not here says so: a resource type nobody taught moto fails the stack, by its name.

moto logs a line and leaves the resource out; the template would then be another than on AWS.
"""

from typing import TYPE_CHECKING, Any

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError

from .originals import original

if TYPE_CHECKING:
    from .server import Local

_DOES_NOTHING = ("AWS::CDK::Metadata", "AWS::CloudFormation::WaitConditionHandle")


def install(local: "Local") -> None:
    find = original(parsing, "resource_class_from_type")

    def found(resource_type: str) -> Any:
        model = find(resource_type)
        if model is None and resource_type not in _DOES_NOTHING:
            raise ValidationError(
                message=f"The embedded AWS does not know the resource type {resource_type}."
            )
        return model

    parsing.resource_class_from_type = found

    get = original(parsing.ResourceMap, "__getitem__")

    def made(resources: Any, name: str) -> Any:
        try:
            return get(resources, name)
        except KeyError as error:
            # moto's parser takes it for a resource that the template does not have
            if name in resources._resource_json_map:
                raise ValidationError(
                    message=f"The resource {name} could not be made: it lacks {error}"
                ) from error
            raise

    parsing.ResourceMap.__getitem__ = made
