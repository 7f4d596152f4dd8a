"""Requests to DynamoDB, in the words of IAM, with the partition keys they touch.

AWS: "Using IAM policy conditions for fine-grained access control" (DynamoDB Developer Guide,
specifying-conditions), "IAM and DynamoDB transactions" (transaction-apis-iam).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .action import Action, Wire, World, arn, with_key

_TRANSACT = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
_ITEM = ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan")


def actions_of_dynamodb(wire: Wire, world: World) -> list[Action]:
    """Map one request: a transaction needs the permission of each of its items."""
    name, asked = wire.operation, wire.document
    needed: list[Action] = []
    if name in ("TransactWriteItems", "TransactGetItems"):
        for item in asked.get("TransactItems", []):
            for kind, request in item.items():
                needed.append(_one(world, _TRANSACT.get(kind, kind), request))
    elif name in ("BatchGetItem", "BatchWriteItem"):
        for table, requests in asked.get("RequestItems", {}).items():
            items = _batch_items(requests)
            needed.append(_action(world, name, table, _keys(world, table, items)))
    elif name in _ITEM:
        needed.append(_one(world, name, asked))
    elif "TableName" in asked:
        return [Action(f"dynamodb:{name}", _table(world, asked["TableName"]))]
    else:
        return [Action(f"dynamodb:{name}")]
    tables = dict.fromkeys(action.resource.partition("/index/")[0] for action in needed)
    for table in tables:
        # DynamoDB opens the table's key in the caller's name (and keeps it for five minutes).
        needed += with_key(
            world, "dynamodb", table, "Decrypt", aws_dynamodb_tableName=table.rpartition("/")[2]
        )
    return needed


def _one(world: World, name: str, asked: Mapping[str, Any]) -> Action:
    table = str(asked.get("TableName", ""))
    item = asked.get("Key") or asked.get("Item")
    if name == "Query":
        keys = _queried(world, table, asked)
    else:
        keys = _keys(world, table, [item] if item else [])
    context: dict[str, str | list[str]] = {}
    for field in ("Select", "ReturnValues", "ReturnConsumedCapacity"):
        if field in asked:
            context[f"dynamodb:{field}"] = str(asked[field])
    return _action(world, name, table, keys, context, index=asked.get("IndexName"))


def _action(
    world: World,
    name: str,
    table: str,
    keys: list[str],
    context: Mapping[str, str | list[str]] | None = None,
    index: str | None = None,
) -> Action:
    resource = _table(world, table) + (f"/index/{index}" if index else "")
    full: dict[str, str | list[str]] = dict(context or {})
    if keys:
        full["dynamodb:LeadingKeys"] = sorted(set(keys))
    return Action(f"dynamodb:{name}", resource, full)


def _table(world: World, table: str) -> str:
    return table if table.startswith("arn:") else arn(world, "dynamodb", f"table/{table}")


def _batch_items(requests: Any) -> list[Mapping[str, Any]]:
    if isinstance(requests, Mapping):
        return list(requests.get("Keys", []))
    return [part.get("Key") or part.get("Item") or {} for one in requests for part in one.values()]


def _keys(world: World, table: str, items: Iterable[Mapping[str, Any]]) -> list[str]:
    partition = world.partition_key(table.rpartition("/")[2]) or ""
    return [str(value) for item in items if partition in item for value in item[partition].values()]


def _queried(world: World, table: str, asked: Mapping[str, Any]) -> list[str]:
    """The partition key a query's ``KeyConditionExpression`` names (``#pk = :pk``)."""
    partition = world.partition_key(table.rpartition("/")[2])
    if asked.get("IndexName"):
        return []  # an index has another key; LeadingKeys is judged on the table's own
    names = asked.get("ExpressionAttributeNames") or {}
    values = asked.get("ExpressionAttributeValues") or {}
    for name, value in re.findall(
        r"([#\w.-]+)\s*=\s*(:\w+)", asked.get("KeyConditionExpression", "")
    ):
        if names.get(name, name) == partition:
            return [str(found) for found in values.get(value, {}).values()]
    return []
