"""One DynamoDB table of items keyed ``pk``, ``sk``: strongly consistent reads, conditional writes.

All writes go through ``TransactWriteItems``, one or many alike: all happen or none does.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from botocore.exceptions import ClientError

from driftloop.aws.clients import client
from driftloop.aws.faults import code, translated
from driftloop.errors import DriftloopError, RegistryConflict, Unavailable
from driftloop.wire.attribute import decode_item, encode, encode_item

ABSENT = object()
"""In ``where``: the attribute must not exist."""

_ATTEMPTS = 5


@dataclass(frozen=True)
class Write:
    """One change of one item, made only if ``where`` holds.

    ``Put`` writes ``values`` whole, ``Update`` sets them and drops ``remove``; ``where`` maps
    attributes to what they must equal (or :data:`ABSENT`). ``otherwise`` is raised when not.
    """

    kind: Literal["Put", "Update", "Delete", "ConditionCheck"]
    pk: str
    sk: str
    values: Mapping[str, Any] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    where: Mapping[str, Any] = field(default_factory=dict)
    otherwise: DriftloopError | None = None

    def request(self, table: str) -> dict[str, Any]:
        """The element of ``TransactItems``."""
        names: dict[str, str] = {}
        bound: dict[str, Any] = {}
        conditions = []
        for i, (name, value) in enumerate(self.where.items()):
            names[f"#w{i}"] = name
            if value is ABSENT:
                conditions.append(f"attribute_not_exists(#w{i})")
            else:
                conditions.append(f"#w{i} = :w{i}")
                bound[f":w{i}"] = encode(value)
        body: dict[str, Any] = {"TableName": table}
        key = {"pk": self.pk, "sk": self.sk}
        if self.kind == "Put":
            body["Item"] = encode_item({**self.values, **key})
        else:
            body["Key"] = encode_item(key)
        if self.kind == "Update":
            sets, drops = [], []
            for i, (name, value) in enumerate(self.values.items()):
                names[f"#s{i}"], bound[f":s{i}"] = name, encode(value)
                sets.append(f"#s{i} = :s{i}")
            for i, name in enumerate(self.remove):
                names[f"#r{i}"] = name
                drops.append(f"#r{i}")
            clauses = [("SET", sets), ("REMOVE", drops)]
            body["UpdateExpression"] = " ".join(f"{w} {', '.join(c)}" for w, c in clauses if c)
        if conditions:
            body["ConditionExpression"] = " AND ".join(conditions)
        if names:
            body["ExpressionAttributeNames"] = names
        if bound:
            body["ExpressionAttributeValues"] = bound
        return {self.kind: body}


class Table:
    """``Table(name)``. Every method raises Unavailable when DynamoDB does not answer."""

    def __init__(self, name: str) -> None:
        self.name = name

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        with translated(f"{pk}/{sk}"):
            answer = client("dynamodb").get_item(
                TableName=self.name, Key=encode_item({"pk": pk, "sk": sk}), ConsistentRead=True
            )
        return decode_item(answer["Item"]) if "Item" in answer else None

    def query(
        self,
        pk: str,
        prefix: str,
        *,
        since: str = "",
        until: str = "\uffff",
        newest: bool = False,
        limit: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Items whose ``sk`` starts with ``prefix``, in order of ``sk`` (or against it).

        ``since`` and ``until`` bound what follows the prefix, both ends included.
        """
        request: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :from AND :to",
            "ExpressionAttributeValues": encode_item(
                {":pk": pk, ":from": prefix + since, ":to": prefix + until}
            ),
            "ConsistentRead": True,
            "ScanIndexForward": not newest,
        }
        left = limit
        while left is None or left > 0:
            if left is not None:
                request["Limit"] = left
            with translated(f"{pk}/{prefix}…"):
                page = client("dynamodb").query(**request)
            for item in page["Items"]:
                yield decode_item(item)
            left = None if left is None else left - len(page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def listed(self, index: str, value: str) -> Iterator[dict[str, Any]]:
        """Items of a sparse index: those whose ``listed`` is ``value``, by ``pk``. An index knows
        of a write a moment later than the table does."""
        with translated(f"{index}/{value}"):
            pages = client("dynamodb").get_paginator("query")
            for page in pages.paginate(
                TableName=self.name,
                IndexName=index,
                KeyConditionExpression="listed = :value",
                ExpressionAttributeValues=encode_item({":value": value}),
            ):
                yield from map(decode_item, page["Items"])

    def write(self, *writes: Write) -> None:
        """Make all changes or none. Raises the ``otherwise`` of the first write whose condition
        fails, RegistryConflict if it has none."""
        items = [write.request(self.name) for write in writes]
        for attempt in range(_ATTEMPTS):
            try:
                with translated(f"{writes[0].pk}/{writes[0].sk}"):
                    client("dynamodb").transact_write_items(TransactItems=items)
                return
            except ClientError as error:
                if code(error) != "TransactionCanceledException":
                    raise
                self._refused(writes, error)
            # Another transaction touched the same items at this moment: wait a little.
            time.sleep(random.uniform(0, 0.05 * 2**attempt))
        raise Unavailable(f"{writes[0].pk}: too many writers at once")

    @staticmethod
    def _refused(writes: tuple[Write, ...], error: ClientError) -> None:
        reasons: list[dict[str, Any]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
        for write, reason in zip(writes, reasons, strict=False):
            if reason.get("Code") == "ConditionalCheckFailed":
                raise write.otherwise or RegistryConflict(
                    f"{write.pk}/{write.sk}: somebody else wrote meanwhile"
                ) from error
        transient = {"None", "TransactionConflict", "ThrottlingError",
                     "ProvisionedThroughputExceeded"}  # fmt: skip
        if {r.get("Code", "None") for r in reasons} - transient or not reasons:
            raise error
