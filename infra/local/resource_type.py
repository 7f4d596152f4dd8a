"""Teach moto's CloudFormation a resource type it lacks, or replace one it does too simply.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html

A type is four small things: where a resource's name stands, how it is put in place (again, with
its old name, when the template changes), what it answers to GetAtt, and how it goes away. Its file
is the one of the behaviour it belongs to; importing that file registers it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import UnformattedGetAttTemplateException, ValidationError
from moto.core.common_models import CloudFormationModel


@dataclass(frozen=True)
class Scope:
    """Where the stack lives."""

    account: str
    region: str


@dataclass(frozen=True)
class Made:
    """What CloudFormation knows of a resource: its ``Ref`` and its attributes for ``GetAtt``."""

    ref: str
    attributes: Mapping[str, str] = field(default_factory=dict)


# moto finds types as subclasses, which Python holds only weakly
_KEPT: list[type] = []

Properties = dict[str, Any]
Put = Callable[[Scope, str, Properties], Made]
Remove = Callable[[Scope, str, Properties], None]


def register(
    type_name: str,
    *,
    put: Put,
    remove: Remove,
    known: tuple[str, ...],
    name_property: str = "",
    attributes: tuple[str, ...] = (),
) -> None:
    """Make ``type_name`` a type of moto's CloudFormation.

    ``put(scope, name, properties)`` creates or overwrites and says what was made; ``name`` is the
    one in ``name_property`` or one generated once. ``remove(scope, ref, properties)`` takes it
    away and must not mind that it is gone. A property that is not ``known`` fails the deployment:
    it would otherwise be forgotten in silence.
    """

    class Type(CloudFormationModel):  # type: ignore[misc]
        def __init__(self, scope: Scope, name: str, properties: Properties, made: Made) -> None:
            self.scope, self.name, self.properties, self.made = scope, name, properties, made

        @property
        def physical_resource_id(self) -> str:
            return self.made.ref

        @staticmethod
        def cloudformation_type() -> str:
            return type_name

        @staticmethod
        def cloudformation_name_type() -> str:
            return name_property

        @classmethod
        def has_cfn_attr(cls, attr: str) -> bool:
            return attr in attributes

        def get_cfn_attribute(self, attribute_name: str) -> str:
            if attribute_name not in self.made.attributes:
                raise UnformattedGetAttTemplateException()
            return self.made.attributes[attribute_name]

        @classmethod
        def create_from_cloudformation_json(
            cls,
            resource_name: str,
            cloudformation_json: Any,
            account_id: str,
            region_name: str,
            **kwargs: Any,
        ) -> "Type":
            properties = _checked(type_name, cloudformation_json, known)
            scope = Scope(account_id, region_name)
            # moto may have generated one, where it knows the type by another name property
            name = str(properties.get(name_property) or resource_name)
            made = _put(type_name, put, scope, name, properties)
            return cls(scope, name, properties, made)

        @classmethod
        def update_from_cloudformation_json(
            cls,
            original_resource: "Type",
            new_resource_name: str,
            cloudformation_json: Any,
            account_id: str,
            region_name: str,
        ) -> "Type":
            properties = _checked(type_name, cloudformation_json, known)
            scope, old = Scope(account_id, region_name), original_resource
            name = str(properties.get(name_property) or old.name)
            made = _put(type_name, put, scope, name, properties)
            if made.ref != old.made.ref:
                remove(scope, old.made.ref, old.properties)
            return cls(scope, name, properties, made)

        def delete(self, account_id: str, region_name: str) -> None:
            remove(self.scope, self.made.ref, self.properties)

    _KEPT.append(Type)
    parsing.get_model_list.cache_clear()
    parsing.get_model_map.cache_clear()
    parsing.get_name_type_map.cache_clear()


def _put(type_name: str, put: Put, scope: Scope, name: str, properties: Properties) -> Made:
    """Whatever a service says no to is CloudFormation's to tell."""
    try:
        return put(scope, name, properties)
    except ValidationError:
        raise
    except Exception as error:
        raise ValidationError(
            message=f"{type_name} {name}: {type(error).__name__}: {error}"
        ) from error


def _checked(type_name: str, resource: Any, known: tuple[str, ...]) -> Properties:
    properties: Properties = dict(resource.get("Properties") or {})
    unknown = sorted(set(properties) - set(known))
    if unknown:
        raise ValidationError(
            message=f"{type_name}: {', '.join(unknown)} is not supported by the embedded AWS."
        )
    return properties
