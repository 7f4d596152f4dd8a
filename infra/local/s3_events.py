"""S3 tells EventBridge what was created and deleted, for buckets that have that switched on.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventBridge.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html

moto sends an event of nearly this shape, with a fixed sequencer and the machine's time, and is
silent about delete markers; its own goes nowhere here. Of the other kinds of event (tags, ACLs,
storage classes) none is sent.
"""

import itertools
import uuid
from typing import TYPE_CHECKING, Any

from moto.s3 import notifications
from moto.s3.models import FakeBucket, S3Backend

from .originals import original

if TYPE_CHECKING:
    from .server import Local

_REASONS = {
    "s3:ObjectCreated:Put": "PutObject",
    "s3:ObjectCreated:Post": "POST Object",
    "s3:ObjectCreated:Copy": "CopyObject",
    "s3:ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
}
_counter = itertools.count(1)


def created(bucket: FakeBucket, key: Any, reason: str) -> dict[str, Any]:
    """The detail of 'Object Created'."""
    return _detail(bucket, _object(key) | {"size": key.size}, reason)


def deleted(
    bucket: FakeBucket, name: str, version: str | None, deletion: str, etag: str | None
) -> dict[str, Any]:
    """The detail of 'Object Deleted'; ``deletion`` says whether anything can come back."""
    body = {"key": name} | ({"etag": etag} if etag else {})
    if version:
        body["version-id"] = version
    return _detail(bucket, body, "DeleteObject") | {"deletion-type": deletion}


def _object(key: Any) -> dict[str, Any]:
    body = {"key": key.name, "etag": key.etag.strip('"')}
    if key.version_id and key.version_id != "null":
        body["version-id"] = key.version_id
    return body


def _detail(bucket: FakeBucket, body: dict[str, Any], reason: str) -> dict[str, Any]:
    return {
        "version": "0",
        "bucket": {"name": bucket.name},
        # hexadecimal, growing with every event of a key (and here of all keys)
        "object": body | {"sequencer": f"{next(_counter):018X}"},
        "request-id": uuid.uuid4().hex[:16].upper(),
        "requester": bucket.account_id,
        "source-ip-address": "127.0.0.1",
        "reason": reason,
    }


def _listens(bucket: FakeBucket) -> bool:
    configuration = bucket.notification_configuration
    return configuration is not None and configuration.event_bridge is not None


def install(local: "Local") -> None:
    """Send 'Object Created' and 'Object Deleted' through ``local.put_event``."""
    moto_delete = original(S3Backend, "delete_object")

    def send(bucket: FakeBucket, kind: str, detail: dict[str, Any]) -> None:
        local.put_event(
            {
                "source": "aws.s3",
                "detail-type": kind,
                "resources": [bucket.arn],
                "detail": detail,
            }
        )

    def on_notification(account_id: str, bucket: FakeBucket, event_name: str, key: Any) -> None:
        reason = _REASONS.get(getattr(event_name, "value", event_name))
        if reason == "PutObject" and key.multipart is not None:
            return  # how moto completes an upload in parts, which it tells of next
        if reason:  # deletions are told by delete_object, which knows more
            send(bucket, "Object Created", created(bucket, key, reason))

    def delete_object(
        backend: S3Backend,
        bucket_name: str,
        key_name: str,
        version_id: str | None = None,
        bypass: bool = False,
    ) -> tuple[bool, dict[str, Any]]:
        bucket = backend.get_bucket(bucket_name)
        versions = bucket.keys.getlist(key_name, [])
        gone = next((k for k in versions if str(k.version_id) == str(version_id)), None)
        done, answer = moto_delete(backend, bucket_name, key_name, version_id, bypass)
        if not done or not _listens(bucket):
            return done, answer
        if bucket.is_versioned and version_id is None:
            marker = answer["version-id"]
            detail = deleted(bucket, key_name, marker, "Delete Marker Created", None)
            send(bucket, "Object Deleted", detail)
        elif gone is not None or (versions and not bucket.is_versioned):
            key = gone or versions[-1]
            etag = getattr(key, "etag", "").strip('"') or None
            detail = deleted(bucket, key_name, version_id, "Permanently Deleted", etag)
            send(bucket, "Object Deleted", detail)
        return done, answer

    notifications._send_event_bridge_message = on_notification
    S3Backend.delete_object = delete_object
