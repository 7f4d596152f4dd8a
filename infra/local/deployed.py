"""What is deployed, read from moto's backends: encryption keys, table keys, and policies."""

import json
from dataclasses import replace
from typing import Any

from moto.backends import get_backend

from .permissions import Document, Policies


class Deployed:
    """The world of one account and region, as the last deploy left it (see ``action.World``)."""

    def __init__(self, account: str, region: str) -> None:
        self.account, self.region = account, region

    def partition_key(self, table: str) -> str | None:
        found = self._regional("dynamodb").tables.get(table)
        return found.hash_key_attr if found else None

    def key_of(self, arn: str) -> str | None:
        service = arn.split(":")[2]
        read = {
            "s3": self._key_of_bucket,
            "dynamodb": self._key_of_table,
            "sqs": self._key_of_queue,
            "sns": self._key_of_topic,
        }.get(service)
        name = read(arn) if read else None
        return self._customer_key(name) if name else None

    def has_bucket(self, name: str) -> bool:
        return name in self._global("s3").buckets

    def policies(self) -> Policies:
        """Every policy in force now, as fresh objects: a caller may take statements away."""
        roles = list(self._global("iam").roles.values())
        trust = {role.arn: _document(role.assume_role_policy_document) for role in roles}
        return replace(self._of(roles), resource=self._resource_policies() | trust)

    def policies_of(self, role_arn: str, bucket: str = "") -> Policies:
        """The identity policies (and boundary) of one role, and the policy of one bucket."""
        roles = self._global("iam").roles.values()
        found = self._global("s3").buckets.get(bucket)
        own = {f"arn:aws:s3:::{bucket}": _document(found.policy)} if found else {}
        return replace(self._of([role for role in roles if role.arn == role_arn]), resource=own)

    def _of(self, roles: list[Any]) -> Policies:
        return Policies(
            identity={role.arn: _identity(role) for role in roles},
            boundary={
                role.arn: _document(self._global("iam").managed_policies[arn].document)
                for role in roles
                if (arn := role.permissions_boundary_arn)
            },
        )

    def _resource_policies(self) -> dict[str, Document]:
        found: dict[str, Document] = {}
        for bucket in self._global("s3").buckets.values():
            found[f"arn:aws:s3:::{bucket.name}"] = _document(bucket.policy)
        for key in self._regional("kms").keys.values():
            found[key.arn] = _document(key.policy)
        for queue in self._regional("sqs").queues.values():
            found[queue.queue_arn] = _document(queue.policy)
        for topic in self._regional("sns").topics.values():
            found[topic.arn] = _document(topic.policy)
        return {arn: document for arn, document in found.items() if document}

    def _key_of_bucket(self, arn: str) -> str | None:
        bucket = self._global("s3").buckets.get(arn.removeprefix("arn:aws:s3:::").partition("/")[0])
        if bucket is None or not bucket.encryption:
            return None
        rule = bucket.encryption.get("Rule", {})
        rule = rule[0] if isinstance(rule, list) else rule
        by_default = rule.get("ApplyServerSideEncryptionByDefault", {})
        return (
            by_default.get("KMSMasterKeyID") if by_default.get("SSEAlgorithm") != "AES256" else None
        )

    def _key_of_table(self, arn: str) -> str | None:
        table = self._regional("dynamodb").tables.get(arn.rpartition("table/")[2].partition("/")[0])
        settings = (table.sse_specification if table else None) or {}
        on = settings.get("Enabled", settings.get("SSEEnabled"))
        return settings.get("KMSMasterKeyId") if str(on).lower() == "true" else None

    def _key_of_queue(self, arn: str) -> str | None:
        queue = self._regional("sqs").queues.get(arn.rpartition(":")[2])
        return queue.kms_master_key_id if queue else None

    def _key_of_topic(self, arn: str) -> str | None:
        topic = self._regional("sns").topics.get(arn)
        return topic.kms_master_key_id if topic else None

    def _customer_key(self, name: str) -> str | None:
        """The ARN of a key given by ARN, id or alias; None for AWS's own (``alias/aws/…``)."""
        if "alias/aws/" in name:
            return None
        if "alias/" in name:
            name = self._regional("kms").get_key_id_from_alias(name.rpartition(":")[2]) or name
        key = self._regional("kms").keys.get(name.rpartition("/")[2])
        if key is not None and key.key_manager != "CUSTOMER":
            return None
        return str(key.arn) if key is not None else name

    def _regional(self, service: str) -> Any:
        return get_backend(service)[self.account][self.region]

    def _global(self, service: str) -> Any:
        return get_backend(service)[self.account]["aws"]


def _identity(role: Any) -> dict[str, Document]:
    inline = {name: _document(text) for name, text in role.policies.items()}
    managed = {arn: _document(policy.document) for arn, policy in role.managed_policies.items()}
    return inline | managed


def _document(text: Any) -> Document:
    if isinstance(text, bytes):
        text = text.decode()
    return json.loads(text) if isinstance(text, str) and text else dict(text or {})
