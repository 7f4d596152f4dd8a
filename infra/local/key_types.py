"""Customer keys as CloudFormation declares them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html
"""

import json
from typing import Any

from moto.kms.models import kms_backends

from .resource_type import Made, Properties, Scope, register


def _put_key(scope: Scope, name: str, properties: Properties) -> Made:
    backend = kms_backends[scope.account][scope.region]
    tags = [{"TagKey": t["Key"], "TagValue": t["Value"]} for t in properties.get("Tags", [])]
    policy = json.dumps(properties["KeyPolicy"])
    known: dict[str, str] = getattr(backend, "made_by_stacks", {})
    backend.made_by_stacks = known
    if name in known and known[name] in backend.keys:
        key: Any = backend.keys[known[name]]
        key.policy = policy
    else:
        key = backend.create_key(
            policy=policy,
            key_usage="ENCRYPT_DECRYPT",
            key_spec="SYMMETRIC_DEFAULT",
            description=properties.get("Description", ""),
            tags=tags,
        )
        known[name] = key.id
    rotates = properties.get("EnableKeyRotation", False)
    key.key_rotation_status = rotates in (True, "true")
    return Made(key.id, {"Arn": key.arn, "KeyId": key.id})


def _remove_key(scope: Scope, ref: str, properties: Properties) -> None:
    backend = kms_backends[scope.account][scope.region]
    if ref in backend.keys:
        backend.schedule_key_deletion(ref, int(properties.get("PendingWindowInDays", 30)))


register(
    "AWS::KMS::Key",
    put=_put_key,
    remove=_remove_key,
    attributes=("Arn", "KeyId"),
    known=("Description", "EnableKeyRotation", "KeyPolicy", "PendingWindowInDays", "Tags"),
)
