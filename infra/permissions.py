"""A stage's grants as IAM statements: no action it does not use, no model but its own."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from driftloop import keys
from infra.shared import Shared
from infra.stages import Stage

_READ_KEY = ("kms:Decrypt", "kms:DescribeKey")
_WRITE_KEY = ("kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo")


def statements(stage: Stage, shared: Shared, model: str | None) -> list[iam.PolicyStatement]:
    """What ``stage`` may do for ``model``; None is every model (the query function's view)."""
    found = [
        *_objects(shared.landing_arn, [f"{f}/{model}" for f in stage.landing],
                  "s3:GetObjectVersion"),
        *_objects(shared.store_arn, [f"{model or '*'}/{f}" for f in stage.reads], "s3:GetObject"),
        *_objects(shared.store_arn, [f"{model}/{f}" for f in stage.writes], "s3:PutObject"),
        *_objects(shared.store_arn, [f"{model}/{f}" for f in stage.passes],
                  "s3:PutObject", "s3:PutObjectTagging"),
    ]  # fmt: skip
    if stage.lists:
        folders = [f"{model}/{folder}/*" for folder in stage.lists]
        found.append(allow(["s3:ListBucket"], [shared.store_arn], _under(folders)))
    if stage.versions:
        folders = [f"{folder}/{model}/*" for folder in stage.versions]
        found.append(allow(["s3:ListBucketVersions"], [shared.landing_arn], _under(folders)))
    if stage.items:
        found.append(items(shared, stage.items, model))
    if stage.arrivals and model:
        found.append(_under_key(shared, stage.arrivals, keys.data_pk(model)))
    if stage.champion and model:
        found.append(_under_key(shared, stage.champion, keys.watch_pk(model)))
    if stage.messages and model:
        sent = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [keys.message_pk(model, "*")]}}
        found.append(allow(list(stage.messages), [shared.table_arn], sent))
    if stage.watches:
        found.append(allow(list(stage.watches), ["*"]))
    if stage.notifies:
        found.append(allow(["sns:Publish"], [shared.topic_arn]))
    given = (*stage.items, *stage.arrivals, *stage.champion, *stage.messages)
    changes = any(_changes(action) for action in given)
    writes = bool(stage.writes or stage.notifies or changes)
    if found:
        found.append(use_key(shared, writes=writes))
    return found


def items(shared: Shared, actions: tuple[str, ...], model: str | None) -> iam.PolicyStatement:
    """``actions`` on the items whose partition key is the model's; for all models, the index of
    their routes too."""
    if model is None:
        indexed = f"{shared.table_arn}/index/{keys.ROUTES}"
        return allow(list(actions), [shared.table_arn, indexed])
    return _under_key(shared, actions, keys.model_pk(model))


def _under_key(shared: Shared, actions: tuple[str, ...], pk: str) -> iam.PolicyStatement:
    own = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [pk]}}
    return allow(list(actions), [shared.table_arn], own)


def use_key(shared: Shared, *, writes: bool) -> iam.PolicyStatement:
    """The key, only through the services that keep things under it."""
    through = [f"{service}.{Aws.REGION}.{Aws.URL_SUFFIX}" for service in ("dynamodb", "s3", "sns")]
    return allow(
        [*_READ_KEY, *(_WRITE_KEY if writes else ())],
        [shared.key_arn],
        {"StringEquals": {"kms:ViaService": through}},
    )


def allow(
    actions: list[str], resources: list[str], conditions: Mapping[str, object] | None = None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=actions, resources=resources, conditions=conditions)


def service(call: str) -> str:
    """The resource of a state that calls a service: ``dynamodb:updateItem``."""
    return f"arn:{Aws.PARTITION}:states:::{call}"


def _objects(bucket: str, folders: list[str], *actions: str) -> list[iam.PolicyStatement]:
    if not folders:
        return []
    return [allow(list(actions), [f"{bucket}/{folder}/*" for folder in folders])]


def _under(folders: list[str]) -> dict[str, object]:
    return {"StringLike": {"s3:prefix": folders}}


def _changes(action: str) -> bool:
    return action.split(":")[1] in {"PutItem", "UpdateItem", "DeleteItem"}
