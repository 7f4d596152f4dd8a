"""What AWS says no with → :mod:`driftloop.errors`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from driftloop.errors import DriftloopError, NotFound, RegistryConflict, Unavailable

# Without s3:ListBucket a missing object answers 403, so "denied" cannot be told from "missing".
MISSING = {"NoSuchKey", "NoSuchVersion", "NoSuchBucket", "404", "403", "AccessDenied",
           "ResourceNotFoundException", "ExecutionDoesNotExist"}  # fmt: skip
CONFLICT = {"ConditionalCheckFailedException", "PreconditionFailed", "412"}
BUSY = {"ThrottlingException", "Throttling", "TooManyRequestsException", "SlowDown",
        "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestTimeout",
        "ConditionalRequestConflict", "TransactionInProgressException",
        "InternalServerError", "InternalError", "ServiceUnavailable", "500", "503"}  # fmt: skip


def code(error: ClientError) -> str:
    """AWS's own name of the error: ``NoSuchKey``."""
    return str(error.response.get("Error", {}).get("Code", ""))


def translate(error: ClientError, what: str) -> DriftloopError | None:
    """The error people meet; None when AWS's own says it best."""
    name = code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if name in MISSING:
        hint = " (or this role may not see it)" if name in ("403", "AccessDenied") else ""
        return NotFound(f"{what}: there is no such thing{hint}")
    if name in CONFLICT:
        return RegistryConflict(f"{what}: somebody else wrote meanwhile")
    if name in BUSY or status >= 500:
        return Unavailable(f"{what}: AWS did not answer in time ({name})")
    return None


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Run a boto3 call; ``what`` names the thing for the reader of the error.

    Raises NotFound, RegistryConflict or Unavailable; any other ClientError passes unchanged.
    """
    try:
        yield
    except ClientError as error:
        known = translate(error, what)
        if known is None:
            raise
        raise known from error
    except BotoCoreError as error:
        raise Unavailable(f"{what}: AWS could not be reached ({error})") from error
