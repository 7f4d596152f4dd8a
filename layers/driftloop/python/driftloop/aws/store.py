"""Objects in one bucket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, cast

from botocore.exceptions import ClientError

from driftloop import keys
from driftloop.aws.clients import client
from driftloop.aws.faults import code, translated
from driftloop.aws.stream import Stream
from driftloop.blobs import Version
from driftloop.errors import NotFound

_LARGE = 64 * 1024 * 1024  # bytes from which on an object is written or copied in parts


@dataclass(frozen=True)
class Head:
    """What S3 knows of an object without its bytes."""

    size: int
    version_id: str | None
    content_type: str
    modified: datetime
    etag: str


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

    def open(
        self, key: str, version_id: str | None = None, start: int = 0, end: int | None = None
    ) -> BinaryIO:
        """The object, or its bytes from ``start`` to before ``end``, read as one goes: seekable,
        always the same version of it, and a read that breaks is resumed. Raises NotFound, of a
        pinned range (whose ``end`` must lie within the object) when it is read."""
        if version_id and end is not None:  # nothing to ask
            pinned, stop = {"VersionId": version_id}, end
        else:
            head = self.head(key, version_id)
            pinned = {"VersionId": version_id} if version_id else {"IfMatch": head.etag}
            stop = head.size if end is None else min(end, head.size)

        def read(first: int, last: int) -> bytes:
            with translated(self._name(key)):
                answer = client("s3").get_object(
                    Bucket=self.bucket, Key=key, Range=f"bytes={first}-{last - 1}", **pinned
                )
                body: bytes = answer["Body"].read()
            return body

        return cast(BinaryIO, Stream(read, start, stop))

    def put(self, key: str, data: bytes, content_type: str | None = None) -> None:
        """Write the object, over whatever was there."""
        with translated(self._name(key)):
            client("s3").put_object(
                Bucket=self.bucket, Key=key, Body=data, **_about(key, content_type)
            )

    def put_file(self, key: str, file: BinaryIO, content_type: str | None = None) -> None:
        """Write all that ``file`` gives, of whatever length, over whatever was there."""
        about = _about(key, content_type)
        with translated(self._name(key)):
            client("s3").upload_fileobj(
                file, self.bucket, key, ExtraArgs=about, Config=_in_parts(16 * 1024 * 1024)
            )

    def copy_from(
        self, key: str, source: str, version_id: str | None = None, bucket: str = ""
    ) -> None:
        """Copy an object, of whatever size and maybe of another bucket, without its bytes coming by
        here. Raises NotFound."""
        origin = {"Bucket": bucket or self.bucket, "Key": source}
        if version_id:
            origin["VersionId"] = version_id
        with translated(f"s3://{origin['Bucket']}/{source}"):
            # Tags stay behind: reading them would take a permission more.
            how = {"TaggingDirective": "REPLACE"}
            client("s3").copy(origin, self.bucket, key, ExtraArgs=how, Config=_in_parts(_LARGE))

    def put_if_absent(self, key: str, data: bytes, content_type: str | None = None) -> bool:
        """Write the object unless there is one; True when written (S3's ``If-None-Match: *``)."""
        with translated(self._name(key)):
            try:
                client("s3").put_object(
                    Bucket=self.bucket,
                    Key=key,
                    Body=data,
                    IfNoneMatch="*",
                    **_about(key, content_type),
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
            etag=answer["ETag"],
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

    def versions(self, prefix: str) -> Iterator[Version]:
        """The newest version of every object under ``prefix``, in S3's order."""
        with translated(self._name(prefix)):
            pages = client("s3").get_paginator("list_object_versions")
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix):
                for entry in page.get("Versions", ()):
                    if entry["IsLatest"]:
                        yield Version(entry["Key"], entry["VersionId"], entry["Size"])

    def _name(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"


def _in_parts(size: int) -> Any:
    """One part after the other: the order of the bytes is that of the reads."""
    from boto3.s3.transfer import TransferConfig

    return TransferConfig(multipart_threshold=_LARGE, multipart_chunksize=size, use_threads=False)


def _about(key: str, content_type: str | None) -> dict[str, str]:
    """What is said of an object with its bytes."""
    passing = {"Tagging": "driftloop=passing"} if keys.passing(key) else {}
    return {"ContentType": content_type or _type(key), **passing}


_TYPES = {
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".csv": "text/csv",
}


def _type(key: str) -> str:
    return next((t for end, t in _TYPES.items() if key.endswith(end)), "application/octet-stream")
