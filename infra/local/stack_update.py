"""CloudFormation makes and updates resources in the order of need.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks.html

moto compares templates by their text, adds before it modifies and removes first. A function's
new version would be published from its old code, and a function would not hear that a layer it
refers to is another by now. Here a resource is updated when its properties, with everything in
them resolved, are others than before; what the template no longer has goes last.
"""

import copy
from typing import TYPE_CHECKING, Any

from moto.cloudformation import parsing
from moto.cloudformation.parsing import ResourceMap

from .originals import original
from .stack_order import in_order

if TYPE_CHECKING:
    from .server import Local

Resources = dict[str, Any]


def _resolved(resources: ResourceMap, name: str) -> Any:
    """The properties of a resource with references and functions replaced."""
    declared = resources._resource_json_map[name].get("Properties") or {}
    return parsing.clean_json(copy.deepcopy(declared), resources)


def _wanted(resources: ResourceMap, name: str) -> bool:
    condition = resources._resource_json_map[name].get("Condition")
    return not condition or bool(resources.lazy_condition_map[condition])


def update(resources: ResourceMap, template: Any, parameters: Any = None) -> None:
    """Bring the stack to ``template``. Raises what the first resource that fails raises."""
    before: Resources = resources._resource_json_map
    template.setdefault("Resources", {})
    resources._template = template
    if parameters:
        resources.input_parameters = parameters
    resources.resolved_parameters = {}
    resources.load_mapping()
    resources.load_parameters()
    resources.load_conditions()
    resources._resource_json_map = template["Resources"]
    gone = [name for name in before if name not in template["Resources"]]
    replaced: list[tuple[Any, Any]] = []
    for name in in_order(template["Resources"]):
        if not _wanted(resources, name):
            gone += [name] if resources._parsed_resources.get(name) is not None else []
        elif name not in before or resources._parsed_resources.get(name) is None:
            resources._parsed_resources.pop(name, None)
            _ = resources[name]
        elif before[name]["Type"] != template["Resources"][name]["Type"]:
            replaced.append((resources._parsed_resources.pop(name), before[name]))
            _ = resources[name]
        else:
            _change(resources, name)
    for resource, declared in replaced:
        _delete(resources, resource, declared)
    for name in reversed([name for name in in_order(before) if name in gone]):
        _delete(resources, resources._parsed_resources.pop(name, None), before[name])
        _known(resources).pop(name, None)


def _change(resources: ResourceMap, name: str) -> None:
    wanted = _resolved(resources, name)
    if _known(resources).get(name) == wanted:
        return
    changed: Any = parsing.parse_and_update_resource(
        name,
        resources._resource_json_map[name],
        resources,
        account_id=resources._account_id,
        region_name=resources._region_name,
    )
    if changed is not None:
        resources._parsed_resources[name] = changed
    _known(resources)[name] = wanted


def _delete(resources: ResourceMap, resource: Any, declared: Any) -> None:
    undoing = resources.__dict__.get("undoing", False)  # then it was this operation that made it
    keep = ("Retain",) if undoing else ("Retain", "RetainExceptOnCreate")
    if resource is not None and declared.get("DeletionPolicy") not in keep:
        resources._delete_resource(resource, declared)


def _known(resources: ResourceMap) -> Resources:
    """The resolved properties of every resource as it was last put in place."""
    known: Resources = resources.__dict__.setdefault("resolved", {})
    return known


def install(local: "Local") -> None:
    make = original(parsing, "parse_and_create_resource")

    def made(name: str, declared: Any, resources: ResourceMap, *args: Any, **kwargs: Any) -> Any:
        resource = make(name, declared, resources, *args, **kwargs)
        if resource is not None:
            _known(resources)[name] = _resolved(resources, name)
        return resource

    # moto makes what a resource refers to without what that one depends on
    ResourceMap._ResourceMap__get_resources_in_dependency_order = lambda resources: in_order(
        resources._resource_json_map
    )
    parsing.parse_and_create_resource = made
    ResourceMap.update = update
