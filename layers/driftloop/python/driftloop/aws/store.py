"""Objects in one bucket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from botocore.exceptions import ClientError

from driftloop.aws.clients import client
from driftloop.aws.faults import code, translated
from driftloop.errors import NotFound


@dataclass(frozen=True)
class Head:
    """What S3 knows of an object without its bytes."""

    size: int
    version_id: str | None
    content_type: str
    modified: datetime


class Store:
    """``Store(bucket)``. Every method raises Unavailable when S3 does not answer."""

    def __init__(self, bucket: str) -> None:
        self.bucket = bucket

    def get(self, key: str, version_id: str | None = None) -> bytes:
        """The whole object, at one version when pinned. Raises NotFound."""
        pinned = {"VersionId": version_id} if version_id else {}
        with translated(self._name(key)):
            answer = client("s3").get_object(Bucket=self.bucket, Key=key, **pinned)
            body: bytes = answer["Body"].read()
        return body

    def put(self, key: str, data: bytes, content_type: str | None = None) -> None:
        """Write the object, over whatever was there."""
        with translated(self._name(key)):
            client("s3").put_object(
                Bucket=self.bucket, Key=key, Body=data, ContentType=content_type or _type(key)
            )

    def put_if_absent(self, key: str, data: bytes, content_type: str | None = None) -> bool:
        """Write the object unless there is one; True when written (S3's ``If-None-Match: *``)."""
        with translated(self._name(key)):
            try:
                client("s3").put_object(
                    Bucket=self.bucket,
                    Key=key,
                    Body=data,
                    ContentType=content_type or _type(key),
                    IfNoneMatch="*",
                )
            except ClientError as error:
                if code(error) == "PreconditionFailed":
                    return False
                raise
        return True

    def head(self, key: str, version_id: str | None = None) -> Head:
        """Raises NotFound."""
        pinned = {"VersionId": version_id} if version_id else {}
        with translated(self._name(key)):
            answer = client("s3").head_object(Bucket=self.bucket, Key=key, **pinned)
        return Head(
            size=answer["ContentLength"],
            version_id=answer.get("VersionId"),
            content_type=answer.get("ContentType", ""),
            modified=answer["LastModified"],
        )

    def exists(self, key: str) -> bool:
        try:
            self.head(key)
        except NotFound:
            return False
        return True

    def list(self, prefix: str) -> Iterator[str]:
        """Keys under ``prefix``, in S3's order (UTF-8 bytes)."""
        with translated(self._name(prefix)):
            pages = client("s3").get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix):
                for entry in page.get("Contents", ()):
                    yield entry["Key"]

    def _name(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"


_TYPES = {
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".csv": "text/csv",
}


def _type(key: str) -> str:
    return next((t for end, t in _TYPES.items() if key.endswith(end)), "application/octet-stream")
