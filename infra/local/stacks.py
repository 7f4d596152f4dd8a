"""Stacks: change sets with outputs, exports that follow updates, failures that are undone.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-protect-stacks.html

moto executes a change set without outputs, exports and imports, keeps the exports of a stack's
first template, and leaves a failed stack half made. Other than on AWS, a stack that fails does so
in the answer to the call that made it, with the reason, after everything was put back.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import CloudFormationBackend, Stack
from moto.cloudformation.parsing import clean_json

from .originals import original
from .stack_order import CircularDependency, imports, in_order

if TYPE_CHECKING:
    from .server import Local


def _export(backend: CloudFormationBackend, stack: Stack) -> None:
    """Make the backend's exports those the stack has now."""
    now = {export.name: export for export in stack.exports}
    for name, export in now.items():
        owner = backend.exports.get(name)
        if owner is not None and owner.exporting_stack_id != stack.stack_id:
            raise ValidationError(message=f"Export with name {name} is already exported.")
        export._value = str(export.value)
    _keep_imported(backend, stack, set(now))
    for name, owner in list(backend.exports.items()):
        if owner.exporting_stack_id == stack.stack_id and name not in now:
            del backend.exports[name]
    backend.exports.update(now)


def _keep_imported(backend: CloudFormationBackend, stack: Stack, kept: set[str]) -> None:
    """Refuse to take away what another stack imports."""
    own = {n for n, e in backend.exports.items() if e.exporting_stack_id == stack.stack_id}
    for other in backend.stacks.values():
        if other is stack or other.status.startswith("DELETE"):
            continue
        used = {str(clean_json(i, other.resource_map)) for i in imports(other.template_dict)}
        for name in sorted((own - kept) & used):
            raise ValidationError(
                message=f"Export {name} cannot be deleted as it is in use by {other.name}."
            )


def _check_order(template: Any) -> None:
    try:
        in_order(template.get("Resources") or {})
    except CircularDependency as error:
        raise ValidationError(message=str(error)) from error


def _undone(stack: Stack, kind: str, error: Exception, undo: Callable[[], None]) -> None:
    """Put back what ``kind`` (CREATE, UPDATE) did before it failed, as far as that goes."""
    stack._add_stack_event(f"{kind}_FAILED", resource_status_reason=str(error))
    rollback = "ROLLBACK" if kind == "CREATE" else "UPDATE_ROLLBACK"
    stack._add_stack_event(f"{rollback}_IN_PROGRESS", resource_status_reason=str(error))
    try:
        undo()
    except Exception as second:  # noqa: BLE001 (told as the stack's status, with the first error)
        stack.status = f"{rollback}_FAILED"
        stack._add_stack_event(stack.status, resource_status_reason=str(second))
        return
    stack.status = f"{rollback}_COMPLETE"
    stack._add_stack_event(stack.status)


def _apply(backend: CloudFormationBackend, stack: Stack, change: Callable[[], None]) -> None:
    """Run ``change``, which updates ``stack``, and follow its outputs; undo it when it fails."""
    template, declared, parameters = stack.template, stack.template_dict, stack.parameters
    created = stack.status == "REVIEW_IN_PROGRESS"
    try:
        change()
        stack._parse_template()
        stack.output_map = stack._create_output_map()
        _export(backend, stack)
    except Exception as error:

        def undo() -> None:
            stack.template, stack.template_dict = template, declared
            stack.resource_map.undoing = True
            try:
                stack.resource_map.update(declared or {"Resources": {}}, parameters)
            finally:
                stack.resource_map.undoing = False
            stack.output_map = stack._create_output_map()

        _undone(stack, "CREATE" if created else "UPDATE", error, undo)
        if created:
            stack.status = "REVIEW_IN_PROGRESS"
        raise


def install(local: "Local") -> None:
    create = original(CloudFormationBackend, "create_stack")
    update = original(CloudFormationBackend, "update_stack")
    execute = original(CloudFormationBackend, "execute_change_set")
    plan = original(CloudFormationBackend, "create_change_set")
    delete = original(CloudFormationBackend, "delete_stack")

    def create_stack(backend: CloudFormationBackend, name: str, template: str, *a: Any, **k: Any):  # type: ignore[no-untyped-def]
        _check_order(Stack.parse_template(template))
        before = set(backend.stacks)
        try:
            stack = create(backend, name, template, *a, **k)
            _export(backend, stack)
        except Exception as error:
            for stack_id in set(backend.stacks) - before:
                stack = backend.stacks.pop(stack_id)
                _undone(stack, "CREATE", error, stack.resource_map.delete)
                backend.deleted_stacks[stack_id] = stack
                for export in [n for n, e in backend.exports.items()
                               if e.exporting_stack_id == stack_id]:  # fmt: skip
                    del backend.exports[export]
            raise
        return stack

    def update_stack(backend: CloudFormationBackend, name: str, template: str, *a: Any, **k: Any):  # type: ignore[no-untyped-def]
        _check_order(Stack.parse_template(template))
        stack = backend.get_stack(name)
        _apply(backend, stack, lambda: update(backend, name, template, *a, **k))
        return stack

    def create_change_set(backend: CloudFormationBackend, *a: Any, **k: Any) -> Any:
        made = plan(backend, *a, **k)
        stack = backend.stacks[made[1]]
        stack.cross_stack_resources = stack.resource_map.cross_stack_resources = backend.exports
        return made

    def execute_change_set(
        backend: CloudFormationBackend, change_set_name: str, stack_name: str | None = None
    ) -> None:
        planned = backend.describe_change_set(change_set_name)
        stack = backend.stacks[planned.stack_id]
        _check_order(planned.template_dict)

        def change() -> None:
            execute(backend, change_set_name, stack_name)
            stack.parameters = planned.parameters

        _apply(backend, stack, change)

    def delete_stack(backend: CloudFormationBackend, name: str) -> None:
        for stack in [s for s in backend.stacks.values() if name in (s.name, s.stack_id)]:
            if stack.enable_termination_protection:
                raise ValidationError(
                    message=f"Stack [{stack.name}] cannot be deleted while TerminationProtection"
                    " is enabled"
                )
            _keep_imported(backend, stack, set())
            for declared in stack.resource_map._resource_json_map.values():
                if declared.get("DeletionPolicy") == "RetainExceptOnCreate":
                    declared["DeletionPolicy"] = "Retain"  # its creation is long over
        delete(backend, name)

    CloudFormationBackend.create_stack = create_stack
    CloudFormationBackend.update_stack = update_stack
    CloudFormationBackend.create_change_set = create_change_set
    CloudFormationBackend.execute_change_set = execute_change_set
    CloudFormationBackend.delete_stack = delete_stack
