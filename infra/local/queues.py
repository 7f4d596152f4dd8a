"""SQS on this clock: when a message can be seen, how long a poll waits, what grows too old.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention.html

moto goes by the real clock, keeps messages past their time, and loses one that is sent while
another is deleted. How long a poll waits is real time: so is its caller's.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from moto.sqs import models
from moto.sqs.models import Message, Queue, SQSBackend

from .originals import original

if TYPE_CHECKING:
    from .server import Local

_LOOK_SECONDS = 0.25


def install(local: "Local") -> None:
    """Tell ``local.on_message`` the ARN of a queue of which a message can be received now."""
    clock = local.clock
    moto_receive = original(SQSBackend, "receive_message")
    moto_change = original(SQSBackend, "change_message_visibility")
    moto_attributes = original(SQSBackend, "get_queue_attributes")
    moto_add, moto_delete = original(Queue, "add_message"), original(Queue, "delete_message")

    def now() -> float:
        return clock.now().timestamp()

    def tell(queue: Queue) -> None:
        for hook in local.on_message:
            hook(queue.queue_arn)

    def tell_later(queue: Queue, seconds: float) -> None:
        clock.call_later(seconds, lambda: tell(queue), f"message of {queue.name}")

    def add_message(queue: Queue, message: Message) -> None:
        moto_add(queue, message)
        if message.delayed:
            tell_later(queue, message.delayed_until / 1000 - now())
        else:
            tell(queue)

    def forget(queue: Any) -> None:
        oldest = (now() - queue.message_retention_period) * 1000
        queue._messages[:] = [m for m in queue._messages if m.sent_timestamp > oldest]

    def shown(queue: Queue) -> list[Message]:
        moment = now() * 1000
        return [m for m in queue._messages if moment >= max(m.visible_at, m.delayed_until)]

    def receive_message(
        backend: SQSBackend, queue_name: str, count: int, wait: float, visibility: int,
        attributes: list[str] | None = None,
    ) -> list[Message]:  # fmt: skip
        queue, end = backend.get_queue(queue_name), time.monotonic() + wait
        while True:
            with queue._messages_lock:
                forget(queue)
                found = moto_receive(backend, queue_name, count, 0, visibility, attributes)
            left = end - time.monotonic()
            if found or left <= 0:
                break
            queue.wait_for_messages(min(left, _LOOK_SECONDS))
        if found:
            tell_later(queue, visibility)
        return list(found)

    def change_message_visibility(
        backend: SQSBackend, queue_name: str, receipt_handle: str, visibility_timeout: int
    ) -> None:
        moto_change(backend, queue_name, receipt_handle, visibility_timeout)
        tell_later(backend.get_queue(queue_name), visibility_timeout)

    def get_queue_attributes(
        backend: SQSBackend, queue_name: str, names: list[str]
    ) -> dict[str, Any]:
        queue = backend.get_queue(queue_name)
        with queue._messages_lock:
            forget(queue)
        return dict(moto_attributes(backend, queue_name, names))

    models.unix_time = now
    models.unix_time_millis = lambda: now() * 1000
    # moto: later than, so that a message made visible stays hidden while the clock stands
    Message.visible = property(lambda message: now() * 1000 >= message.visible_at)
    Queue.messages = property(lambda queue: shown(queue))
    # what is too old was forgotten; moto counts the whole queue for each message it looks at
    SQSBackend.is_message_valid_based_on_retention_period = lambda *_: True
    Queue.add_message = add_message
    Queue.delete_message = _alone(moto_delete)
    SQSBackend.receive_message = receive_message
    SQSBackend.change_message_visibility = change_message_visibility
    SQSBackend.get_queue_attributes = get_queue_attributes


def _alone(operation: Callable[..., None]) -> Callable[..., None]:
    """Nobody adds to the queue meanwhile."""

    @wraps(operation)
    def locked(queue: Queue, *args: Any) -> None:
        with queue._messages_lock:
            operation(queue, *args)

    return locked
