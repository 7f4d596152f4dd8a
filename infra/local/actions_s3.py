"""Requests to S3, in the words of IAM.

AWS: "Required permissions for Amazon S3 API operations" (S3 User Guide,
using-with-s3-policy-actions) and "Actions, resources, and condition keys for Amazon S3".
"""

import re
from urllib.parse import unquote
from xml.etree import ElementTree

from .action import Action, Wire, World, with_key

_VIRTUAL = re.compile(r"(.+)\.(?:localhost|s3[.-].*|localhost\..*)(?::\d+)?")

# Sub-resources of a bucket: ?name → (action to read it, to write it, to delete it).
_BUCKET = {
    "acl": ("GetBucketAcl", "PutBucketAcl", ""),
    "cors": ("GetBucketCORS", "PutBucketCORS", "PutBucketCORS"),
    "encryption": ("GetEncryptionConfiguration", "PutEncryptionConfiguration") * 2,
    "lifecycle": ("GetLifecycleConfiguration", "PutLifecycleConfiguration") * 2,
    "location": ("GetBucketLocation", "", ""),
    "notification": ("GetBucketNotification", "PutBucketNotification", ""),
    "policy": ("GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"),
    "publicAccessBlock": ("GetBucketPublicAccessBlock", "PutBucketPublicAccessBlock") * 2,
    "tagging": ("GetBucketTagging", "PutBucketTagging", "PutBucketTagging"),
    "uploads": ("ListBucketMultipartUploads", "", ""),
    "versioning": ("GetBucketVersioning", "PutBucketVersioning", ""),
    "versions": ("ListBucketVersions", "", ""),
}
# Sub-resources of an object: ?name → {method: action}; "Object" grows "Version" on a pinned read.
_OBJECT = {
    "tagging": {
        "GET": "GetObjectTagging",
        "PUT": "PutObjectTagging",
        "DELETE": "DeleteObjectTagging",
    },
    "acl": {"GET": "GetObjectAcl", "PUT": "PutObjectAcl"},
    "retention": {"GET": "GetObjectRetention", "PUT": "PutObjectRetention"},
    "legal-hold": {"GET": "GetObjectLegalHold", "PUT": "PutObjectLegalHold"},
}
_READS = ("GET", "HEAD")


def actions_of_s3(wire: Wire, world: World, status: int = 200) -> list[Action]:
    """Map one request; ``status`` is its answer's, for what is asked only of a missing object."""
    bucket, key = address(wire)
    if not bucket:
        return [Action("s3:ListAllMyBuckets")]
    if not key:
        return _on_bucket(wire, world, f"arn:aws:s3:::{bucket}")
    needed = _on_object(wire, world, bucket, key)
    if status == 404 and wire.method in _READS:
        # Without ListBucket the answer for a missing object is 403: whoever lives on the 404
        # needs it. The request names no prefix, so a condition on s3:prefix does not help.
        needed.append(Action("s3:ListBucket", f"arn:aws:s3:::{bucket}"))
    return needed


def address(wire: Wire) -> tuple[str, str]:
    """Bucket and key (empty where there is none), by path or by virtual host."""
    path = unquote(wire.path[1:])
    virtual = _VIRTUAL.fullmatch(wire.headers.get("host", ""))
    if virtual:
        return virtual.group(1), path
    bucket, _, key = path.partition("/")
    return bucket, key


def _on_bucket(wire: Wire, world: World, bucket: str) -> list[Action]:
    asked = wire.parameters
    if wire.method == "POST" and "delete" in asked:
        return _delete_many(wire, bucket)
    for name, (read, write, *delete) in _BUCKET.items():
        if name in asked:
            by_method = {"GET": read, "PUT": write, "DELETE": delete[-1]}
            return [Action(f"s3:{by_method.get(wire.method, '')}", bucket, _listing(asked))]
    whole = {"GET": "ListBucket", "HEAD": "ListBucket", "PUT": "CreateBucket"}
    action = whole.get(wire.method, "DeleteBucket")
    return [Action(f"s3:{action}", bucket, _listing(asked) if action == "ListBucket" else {})]


def _listing(asked: dict[str, str]) -> dict[str, str | list[str]]:
    return {
        f"s3:{name}": asked[name] for name in ("prefix", "delimiter", "max-keys") if name in asked
    }


def _delete_many(wire: Wire, bucket: str) -> list[Action]:
    needed: list[Action] = []
    try:
        document = ElementTree.fromstring(wire.body)
    except ElementTree.ParseError:
        return needed  # S3 refuses it
    for item in document.iter():
        if item.tag.rpartition("}")[2] == "Object":
            fields = {child.tag.rpartition("}")[2]: child.text or "" for child in item}
            action = "DeleteObjectVersion" if "VersionId" in fields else "DeleteObject"
            needed.append(Action(f"s3:{action}", f"{bucket}/{fields.get('Key', '')}"))
    return needed


def _on_object(wire: Wire, world: World, bucket: str, key: str) -> list[Action]:
    asked, arn = wire.parameters, f"arn:aws:s3:::{bucket}/{key}"
    version = asked.get("versionId", "")
    pinned = {"s3:VersionId": version} if version else {}
    for name, by_method in _OBJECT.items():
        if name in asked:
            action = by_method.get(wire.method, wire.method)
            if version:
                action = action.replace("Object", "ObjectVersion", 1)
            return [Action(f"s3:{action}", arn, pinned)]
    if "uploadId" in asked and wire.method in ("GET", "DELETE"):
        read = wire.method == "GET"
        return [Action("s3:ListMultipartUploadParts" if read else "s3:AbortMultipartUpload", arn)]
    if wire.method in _READS:
        get = "s3:GetObjectVersion" if version else "s3:GetObject"
        return [Action(get, arn, pinned), *_key(world, arn, "Decrypt")]
    if wire.method == "DELETE":
        return [Action("s3:DeleteObjectVersion" if version else "s3:DeleteObject", arn, pinned)]
    return _write(wire, world, arn)


def _write(wire: Wire, world: World, arn: str) -> list[Action]:
    headers = wire.headers
    context: dict[str, str | list[str]] = {
        f"s3:{name}": headers[name]
        for name in (
            "x-amz-server-side-encryption",
            "x-amz-server-side-encryption-aws-kms-key-id",
            "x-amz-acl",
            "x-amz-storage-class",
        )
        if name in headers
    }
    needed = [Action("s3:PutObject", arn, context)]
    multipart = "uploads" in wire.parameters or "uploadId" in wire.parameters
    # S3 reads back the parts it encrypted, so a multipart upload needs Decrypt too.
    needed += _key(
        world, arn, *(["GenerateDataKey", "Decrypt"] if multipart else ["GenerateDataKey"])
    )
    if "x-amz-tagging" in headers:
        needed.append(Action("s3:PutObjectTagging", arn))
    if "x-amz-acl" in headers:
        needed.append(Action("s3:PutObjectAcl", arn, context))
    if "if-match" in headers:
        needed.append(Action("s3:GetObject", arn))
    source = headers.get("x-amz-copy-source")
    if source:
        name, _, version = unquote(source).lstrip("/").partition("?versionId=")
        origin = f"arn:aws:s3:::{name}"
        get = "s3:GetObjectVersion" if version else "s3:GetObject"
        needed += [Action(get, origin), *_key(world, origin, "Decrypt")]
    return needed


def _key(world: World, arn: str, *actions: str) -> list[Action]:
    # With an S3 Bucket Key (CDK's default for KMS) the encryption context is the bucket's ARN.
    return with_key(world, "s3", arn, *actions, aws_s3_arn=arn.partition("/")[0])
