"""Executions of one state machine."""

from __future__ import annotations

from botocore.exceptions import ClientError

from driftloop.aws.clients import client
from driftloop.aws.faults import code, translated
from driftloop.event import RunEnd


class Workflow:
    """``Workflow(state machine ARN)``. Every method raises Unavailable when Step Functions does
    not answer."""

    def __init__(self, machine: str) -> None:
        self.machine = machine

    def execution(self, name: str) -> str:
        """The ARN an execution of that name has."""
        return f"{self.machine.replace(':stateMachine:', ':execution:')}:{name}"

    def start(self, name: str, given: str) -> str:
        """Start the execution, or find it started: the same name and input is the same start.

        Returns its ARN.
        """
        with translated(f"execution {name}"):
            try:
                client("stepfunctions").start_execution(
                    stateMachineArn=self.machine, name=name, input=given
                )
            except ClientError as error:
                if code(error) != "ExecutionAlreadyExists":  # it has even ended by now
                    raise
        return self.execution(name)

    def end(self, name: str) -> RunEnd | None:
        """How the execution ended; None while it runs. Raises NotFound."""
        with translated(f"execution {name}"):
            found = client("stepfunctions").describe_execution(executionArn=self.execution(name))
        if found["status"] in ("RUNNING", "PENDING_REDRIVE"):
            return None
        return RunEnd(
            run=name,
            status=found["status"],
            output=found.get("output"),
            error=found.get("error"),
            cause=found.get("cause"),
        )
