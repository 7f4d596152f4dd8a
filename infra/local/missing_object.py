"""A missing S3 object is 403 to whoever may not list its bucket, and 404 only to who may.

AWS: "GetObject" and "HeadObject" (S3 API Reference), Permissions: without ``s3:ListBucket`` nobody
learns whether a key exists. The question is put without a prefix, so a statement that allows
listing only under ``s3:prefix`` does not answer it.
"""

from .action import Wire
from .actions_s3 import address
from .deployed import Deployed
from .permissions import judge

STATUS = "403 Forbidden"
_BODY = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
)


def hidden(wire: Wire, status: int, caller: str, world: Deployed) -> bool:
    """Whether the answer to ``caller`` must be 403 where the object is simply not there."""
    if wire.service != "s3" or status != 404 or wire.method not in ("GET", "HEAD"):
        return False
    bucket, key = address(wire)
    if not key or not world.has_bucket(bucket):
        return False
    policies = world.policies_of(caller, bucket)
    return not judge(caller, "s3:ListBucket", f"arn:aws:s3:::{bucket}", {}, policies).allowed


def body(wire: Wire) -> bytes:
    return b"" if wire.method == "HEAD" else _BODY
