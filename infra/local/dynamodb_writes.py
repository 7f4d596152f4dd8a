"""DynamoDB: a conditional write is one step, however many writers there are.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html

moto reads, judges the condition and writes without a lock, so two writers may both see the old
item. One lock for the table service makes each of its operations atomic.
"""

import threading
from functools import wraps
from typing import TYPE_CHECKING, Any

from moto.dynamodb.models import DynamoDBBackend

from .originals import original

if TYPE_CHECKING:
    from .server import Local

_OPERATIONS = (
    *("put_item", "update_item", "delete_item", "transact_write_items"),
    *("get_item", "query", "scan"),
)


def install(local: "Local") -> None:
    lock = threading.RLock()

    def atomic(operation: Any) -> Any:
        @wraps(operation)
        def locked(*args: Any, **kwargs: Any) -> Any:
            with lock:
                return operation(*args, **kwargs)

        return locked

    for name in _OPERATIONS:
        setattr(DynamoDBBackend, name, atomic(original(DynamoDBBackend, name)))
