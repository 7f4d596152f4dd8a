"""Buckets and their policies as CloudFormation declares them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucketpolicy.html

moto sets encryption and tags and forgets the rest: versioning, the switch to EventBridge,
lifecycle, public access. (Nothing expires here: lifecycle rules are kept to be read.)
"""

import json
from typing import TYPE_CHECKING, Any

from moto.cloudformation.exceptions import ValidationError
from moto.iam.access_control import PermissionResult
from moto.s3.cloud_formation import cfn_to_api_encryption
from moto.s3.models import FakeBucket, S3Backend, s3_backends
from moto.utilities.tagging_service import TaggingService

from .resource_type import Made, Properties, Scope, register

if TYPE_CHECKING:
    from .server import Local


def _backend(scope: Scope) -> S3Backend:
    return s3_backends[scope.account]["aws"]


def _put_bucket(scope: Scope, name: str, properties: Properties) -> Made:
    backend = _backend(scope)
    if properties.get("AccessControl", "Private") != "Private":
        raise ValidationError(message=f"Bucket {name}: no AccessControl but Private is supported.")
    if name not in backend.buckets:
        backend.create_bucket(name, scope.region)
    bucket = backend.buckets[name]
    status = (properties.get("VersioningConfiguration") or {}).get("Status")
    if status or bucket.versioning_status:
        bucket.versioning_status = status or "Suspended"
    if "BucketEncryption" in properties:
        encryption = cfn_to_api_encryption(properties["BucketEncryption"])
        backend.put_bucket_encryption(name, encryption)
    if "Tags" in properties:
        backend.put_bucket_tagging(name, TaggingService().flatten_tag_list(properties["Tags"]))
    if "PublicAccessBlockConfiguration" in properties:
        backend.put_public_access_block(name, properties["PublicAccessBlockConfiguration"])
    controls = (properties.get("OwnershipControls") or {}).get("Rules") or []
    bucket.ownership_rule = controls[0]["ObjectOwnership"] if controls else None
    rules = (properties.get("LifecycleConfiguration") or {}).get("Rules") or []
    bucket.set_lifecycle([_lifecycle_rule(rule) for rule in rules])
    _notify(name, bucket, properties.get("NotificationConfiguration"))
    return Made(name, _attributes(name, scope.region))


def _attributes(name: str, region: str) -> dict[str, str]:
    return {
        "Arn": f"arn:aws:s3:::{name}",
        "DomainName": f"{name}.s3.amazonaws.com",
        "DualStackDomainName": f"{name}.s3.dualstack.{region}.amazonaws.com",
        "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
        "WebsiteURL": f"http://{name}.s3-website.{region}.amazonaws.com",
    }


def _notify(name: str, bucket: FakeBucket, wanted: dict[str, Any] | None) -> None:
    others = sorted(set(wanted or {}) - {"EventBridgeConfiguration"})
    if others:
        raise ValidationError(message=f"Bucket {name}: {', '.join(others)} is not supported here.")
    switch = (wanted or {}).get("EventBridgeConfiguration")
    on = switch is not None and switch.get("EventBridgeEnabled", True) in (True, "true")
    bucket.set_notification_configuration({"EventBridgeConfiguration": {}} if on else None)


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule of a template in the shape of PutBucketLifecycleConfiguration."""
    tags = rule.get("TagFilters") or []
    prefix = rule.get("Prefix", "")
    where: dict[str, Any] = {"Prefix": prefix}
    if tags:
        where = {"And": {"Prefix": prefix, "Tag": tags}} if prefix or tags[1:] else {"Tag": tags[0]}
    wire: dict[str, Any] = {"Status": rule["Status"], "Filter": where}
    if "Id" in rule:
        wire["ID"] = rule["Id"]
    if "ExpirationInDays" in rule:
        wire["Expiration"] = {"Days": str(rule["ExpirationInDays"])}
    elif "ExpiredObjectDeleteMarker" in rule:
        marker = str(rule["ExpiredObjectDeleteMarker"]).lower()
        wire["Expiration"] = {"ExpiredObjectDeleteMarker": marker}
    noncurrent = rule.get("NoncurrentVersionExpiration") or {}
    days = noncurrent.get("NoncurrentDays") or rule.get("NoncurrentVersionExpirationInDays")
    if days:
        wire["NoncurrentVersionExpiration"] = {"NoncurrentDays": str(days)}
    abort = rule.get("AbortIncompleteMultipartUpload")
    if abort:
        days = str(abort["DaysAfterInitiation"])
        wire["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": days}
    return wire


def _remove_bucket(scope: Scope, ref: str, properties: Properties) -> None:
    backend = _backend(scope)
    if ref in backend.buckets and backend.delete_bucket(ref) is None:
        raise ValidationError(message=f"The bucket {ref} you tried to delete is not empty.")


register(
    "AWS::S3::Bucket",
    put=_put_bucket,
    remove=_remove_bucket,
    name_property="BucketName",
    attributes=tuple(_attributes("", "")),
    known=(
        "AccessControl",
        "BucketEncryption",
        "BucketName",
        "LifecycleConfiguration",
        "NotificationConfiguration",
        "OwnershipControls",
        "PublicAccessBlockConfiguration",
        "Tags",
        "VersioningConfiguration",
    ),
)


def _put_policy(scope: Scope, name: str, properties: Properties) -> Made:
    document = json.dumps(properties["PolicyDocument"]).encode()
    _backend(scope).put_bucket_policy(properties["Bucket"], document)
    return Made(name)


def _remove_policy(scope: Scope, ref: str, properties: Properties) -> None:
    if properties["Bucket"] in _backend(scope).buckets:
        _backend(scope).delete_bucket_policy(properties["Bucket"])


register(
    "AWS::S3::BucketPolicy",
    put=_put_policy,
    remove=_remove_policy,
    known=("Bucket", "PolicyDocument"),
)


def install(local: "Local") -> None:
    """Keep moto from judging bucket policies itself.

    It reads no conditions, so the usual "deny what is not TLS" would deny everything. Who may do
    what is judged from the record of calls, where the conditions count.
    """
    FakeBucket.get_permission = lambda bucket, action, resource: PermissionResult.NEUTRAL
