"""What a request to AWS asks for, in the words of IAM.

AWS: "Actions, resources, and condition keys for AWS services" (Service Authorization Reference).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import parse_qsl

from .condition import Context


@dataclass(frozen=True)
class Action:
    """One permission a request needs: ``name`` as in ``s3:GetObject``, ``resource`` an ARN or
    ``*``, and the condition keys that AWS would fill."""

    name: str
    resource: str = "*"
    context: Context = field(default_factory=dict)


@dataclass(frozen=True)
class Wire:
    """A request as AWS receives it. ``service`` is the one of the credential scope (``s3``,
    ``dynamodb``, ``monitoring`` …), ``path`` and ``query`` are undecoded, header names lower."""

    service: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The decoded query; a bare name (``?versions``) has the value ''."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @cached_property
    def form(self) -> dict[str, str]:
        """The parameters of a query-protocol call."""
        return {**self.parameters, **dict(parse_qsl(self.body.decode("utf-8", "replace")))}

    @cached_property
    def document(self) -> dict[str, Any]:
        """The body of a JSON-protocol call; empty when it is none (the service refuses it)."""
        try:
            body = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    @cached_property
    def operation(self) -> str:
        """The operation's name, from ``X-Amz-Target``, an RPC path, or the ``Action`` parameter."""
        target = self.headers.get("x-amz-target", "")
        if target:
            return target.rpartition(".")[2]
        if "/operation/" in self.path:
            return self.path.rpartition("/")[2]
        return self.form.get("Action", "")


class World(Protocol):
    """What the mapping must know of what is deployed."""

    @property
    def region(self) -> str: ...

    @property
    def account(self) -> str: ...

    def partition_key(self, table: str) -> str | None:
        """The name of a table's partition key; None for an unknown table."""

    def key_of(self, arn: str) -> str | None:
        """ARN of the customer's KMS key that encrypts a bucket, object, table, queue or topic;
        None when it is not encrypted with one."""


def arn(world: World, service: str, resource: str) -> str:
    return f"arn:aws:{service}:{world.region}:{world.account}:{resource}"


def with_key(
    world: World, service: str, resource: str, *actions: str, **encryption: str
) -> list[Action]:
    """The KMS permissions the caller of ``service`` needs for an encrypted ``resource``.

    AWS: "kms:ViaService" and the encryption pages of S3, DynamoDB, SQS and SNS: the service uses
    the key on the caller's behalf. ``encryption`` is the encryption context, by ``_`` for ``:``.
    """
    key = world.key_of(resource)
    if key is None:
        return []
    context: dict[str, str | list[str]] = {
        "kms:ViaService": f"{service}.{world.region}.amazonaws.com",
        "kms:CallerAccount": world.account,
    }
    for name, value in encryption.items():
        context[f"kms:EncryptionContext:{name.replace('_', ':')}"] = value
    return [Action(f"kms:{action}", key, context) for action in actions]
