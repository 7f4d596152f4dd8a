"""The two calls the endpoint makes: DynamoDB GetItem and S3 GetObject.

A KMS-encrypted object needs nothing more than the signature and the role's ``kms:Decrypt``.
"""

from __future__ import annotations

import re
from typing import Any

from driftloop.errors import DriftloopError, NotFound
from driftloop.wire import endpoint
from driftloop.wire.attribute import decode_item, encode_item
from driftloop.wire.client import Client
from driftloop.wire.rpc import Refused, call
from driftloop.wire.sigv4 import Request

_CODE = re.compile(rb"<Code>(\w+)").search


def get_item(client: Client, table: str, pk: str, sk: str, budget: float) -> dict[str, Any] | None:
    """The item, read consistently; None if there is none.

    ``budget`` in seconds. Raises Unavailable; DriftloopError with AWS's name for it when refused.
    """
    asked = {
        "TableName": table,
        "Key": encode_item({"pk": pk, "sk": sk}),
        "ConsistentRead": True,
    }
    try:
        found = call(client, "dynamodb", "DynamoDB_20120810.GetItem", "1.0", asked, budget)
    except Refused as refused:
        raise DriftloopError(f"{pk}/{sk}: {refused}") from refused
    try:
        item = found.get("Item")
        return decode_item(item) if item else None
    except (ValueError, AttributeError) as error:
        raise DriftloopError(f"{pk}/{sk}: the answer is no item ({error})") from error


def get_object(
    client: Client, bucket: str, key: str, budget: float, start: int = 0
) -> tuple[bytes, int]:
    """The object's bytes from ``start`` on, as many as come within ``budget`` seconds, and the
    length of the whole ("GetObject", S3 API reference: ``Range``).

    Raises NotFound, Unavailable if nothing came; DriftloopError with AWS's name for it when
    refused.
    """
    url, prefix = endpoint.bucket(bucket, client.region, client.env)
    headers = {"range": f"bytes={start}-"} if start else {}
    request = Request("GET", "", f"{prefix}/{key}", headers=headers)
    answer = client.call("s3", url, request, budget, partial=True)
    if answer.status == 404:
        raise NotFound(f"s3://{bucket}/{key}: there is no such object")
    if answer.status == 206:
        return answer.body, int(answer.headers["content-range"].rpartition("/")[2])
    if answer.status != 200:
        # Its name only: AWS's sentence tells account, role and resource, and callers may see this.
        name = _CODE(answer.body)
        said = f" {name[1].decode()}" if name else ""
        raise DriftloopError(f"s3://{bucket}/{key}: AWS answered {answer.status}{said}")
    return answer.body[start:], int(answer.headers.get("content-length", len(answer.body)))
