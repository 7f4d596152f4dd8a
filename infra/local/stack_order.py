"""In which order a template's resources are made: each behind those it needs.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-dependson.html
"""

import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

_IN_TEXT = re.compile(r"\$\{([^!.}][^.}]*)[^}]*\}")


class CircularDependency(ValueError):
    """Resources need one another; the message names them."""


def in_order(resources: Mapping[str, Any]) -> list[str]:
    """Logical ids, dependencies first; otherwise as in the template.

    ``Ref``, ``Fn::GetAtt``, ``Fn::Sub`` and ``DependsOn`` count. Raises CircularDependency.
    """
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for name, resource in resources.items():
        sorter.add(name, *(other for other in needs(resource) if other in resources))
    try:
        return list(sorter.static_order())
    except CycleError as error:
        circle = ", ".join(dict.fromkeys(error.args[1]))
        raise CircularDependency(f"Circular dependency between resources: [{circle}]") from error


def needs(part: Any) -> Iterator[str]:
    """Every logical id (or parameter) that a part of a template mentions, again if again."""
    if isinstance(part, list):
        for item in part:
            yield from needs(item)
    elif isinstance(part, Mapping):
        for key, value in part.items():
            if key == "Ref" and isinstance(value, str):
                yield value
            elif key == "Fn::GetAtt":
                yield value.split(".")[0] if isinstance(value, str) else value[0]
            elif key == "DependsOn":
                yield from [value] if isinstance(value, str) else value
            elif key == "Fn::Sub":
                text, given = (value, {}) if isinstance(value, str) else value
                yield from (name for name in _IN_TEXT.findall(text) if name not in given)
                yield from needs(given)
            else:
                yield from needs(value)


def imports(part: Any) -> Iterator[Any]:
    """What stands in every ``Fn::ImportValue`` of a part of a template."""
    if isinstance(part, list):
        for item in part:
            yield from imports(item)
    elif isinstance(part, Mapping):
        for key, value in part.items():
            if key == "Fn::ImportValue":
                yield value
            yield from imports(value)
