"""Lambda reads from queues: batches to functions, and messages that were not done come again.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html

A message that failed is left alone: the queue shows it again when its visibility time-out is over,
and moves it to the dead letters when it was received too often. Only while the function is at work
no time-out passes: its work takes real time, and the clock may run faster.
"""

import logging
import math
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.sqs.models import sqs_backends

from .action import with_key
from .background import in_background
from .deployed import Deployed
from .lambdas import LARGEST_PAYLOAD
from .queue_batches import REPORT, failed, payloads, record
from .queue_mappings import NEEDED, mappings

if TYPE_CHECKING:
    from .server import Local

log = logging.getLogger(__name__)
_BATCHES_AT_ONCE = 5  # as Lambda begins with
_GATHER_SECONDS = 0.02  # real time: a burst of messages becomes few batches
_AT_ONCE = 10  # messages SQS gives at a time
_HELD = 12 * 3600  # seconds; the longest SQS hides a message


@dataclass
class _State:
    lock: threading.Lock = field(default_factory=threading.Lock)
    active: int = 0
    waiting: bool = False  # for the batching window to pass


class Poller:
    """Every queue that is mapped to a function."""

    def __init__(self, local: "Local") -> None:
        self.local = local
        self._states: dict[str, _State] = {}

    def on_message(self, queue_arn: str) -> None:
        for mapping in mappings(self.local, queue_arn):
            self._look(mapping, self._states.setdefault(mapping.uuid, _State()))

    def _look(self, mapping: Any, state: _State, *, due: bool = False) -> None:
        """Take up work: now if a batch is full or has waited long enough, else when it has."""
        window = int(mapping.max_batch_window or 0)
        most = (mapping.scaling_config or {}).get("MaximumConcurrency", _BATCHES_AT_ONCE)
        with state.lock:
            if due:
                state.waiting = False
            if state.active >= int(most):
                return
            queue = self._queues().queues.get(_name(mapping))
            there = queue.approximate_number_of_messages if queue else 0
            if not there:
                return
            if window and not due and there < mapping.batch_size:
                if not state.waiting:
                    state.waiting = True
                    self.local.clock.call_later(
                        window, lambda: self._look(mapping, state, due=True), "batching window"
                    )
                return
            state.active += 1
        name = f"messages of {_name(mapping)}"
        in_background(self.local.clock, lambda: self._work(mapping, state), name)

    def _work(self, mapping: Any, state: _State) -> None:
        if self.local.clock.speed:  # while the clock stands, nothing more comes by waiting
            time.sleep(_GATHER_SECONDS)
        while not self.local.stopped and (messages := self._take(mapping, state)):
            taken = self.local.clock.now()
            try:
                again = self._deliver(mapping, messages)
            except Exception:
                log.exception("%d messages of %s come again", len(messages), _name(mapping))
                again = {message.id for message in messages}
            self._show(mapping, again, taken)

    def _take(self, mapping: Any, state: _State) -> list[Any]:
        """The next batch. Whoever finds none has stopped working before anybody can be told of a
        message it did not see."""
        with state.lock:
            found: list[Any] = []
            queue = self._queues().queues.get(_name(mapping))
            while queue and len(found) < mapping.batch_size:
                wanted = min(_AT_ONCE, mapping.batch_size - len(found))
                more = self._queues().receive_message(queue.name, wanted, 0, _HELD, ["All"])
                found += more
                if not more:
                    break
            if not found:
                state.active -= 1
            return found

    def _deliver(self, mapping: Any, messages: list[Any]) -> set[str]:
        """Run the function and delete what it has done; the messages it has not."""
        function = self.local.lambdas.find(mapping.function_arn)
        self._record(function.role, mapping.event_source_arn)
        records = [record(message, mapping.event_source_arn) for message in messages]
        left: set[str] = set()
        for some, payload in payloads(records, LARGEST_PAYLOAD):
            result = self.local.lambdas.run(
                function, payload, str(uuid.uuid4()), mapping.function_arn, patient=True
            )
            ids = [one["messageId"] for one in some]
            again = set(ids) if result.error else set()
            if not result.error and REPORT in (mapping.function_response_types or []):
                again = failed(result.payload, ids)
            if again:
                why = f": {result.error}" if result.error else ""
                what = (len(again), len(ids), _name(mapping), why)
                log.warning("%d of %d messages of %s come again%s", *what)
            for one in some:
                if one["messageId"] not in again:
                    self._queues().delete_message(_name(mapping), one["receiptHandle"])
            left |= again
        return left

    def _show(self, mapping: Any, again: set[str], taken: datetime) -> None:
        """Let messages be seen when their time-out, as of ``taken``, is over."""
        queue = self._queues().queues.get(_name(mapping))
        if not again or queue is None:
            return
        passed = (self.local.clock.now() - taken).total_seconds()
        left = max(0, math.ceil(queue.visibility_timeout - passed))
        for message in list(queue._messages):
            if message.id in again:
                message.change_visibility(left)
        self.local.clock.call_later(
            left, lambda: self.on_message(mapping.event_source_arn), f"messages of {queue.name}"
        )

    def _record(self, role: str, queue_arn: str) -> None:
        """Lambda reads in the name of the function's role."""
        world = Deployed(self.local.account, self.local.region)
        for name in NEEDED:
            self.local.record(role, f"sqs:{name}", queue_arn)
        for action in with_key(world, "sqs", queue_arn, "Decrypt"):
            self.local.record(role, action.name, action.resource, action.context)

    def _queues(self) -> Any:
        return sqs_backends[self.local.account][self.local.region]


def _name(mapping: Any) -> str:
    return str(mapping.event_source_arn).rpartition(":")[2]


def install(local: "Local") -> None:
    local.on_message.append(Poller(local).on_message)
