"""A training job's ``model.tar.gz`` → the candidate it holds.

Only the names of a candidate are read, only regular files, and only so much of each; nothing is
written to a disk, so no path in the archive can lead anywhere.
"""

from __future__ import annotations

import io
import tarfile
import zlib

from driftloop.errors import IntegrityError
from driftloop.plan import load
from driftloop.train import FILES, PLAN, Candidate

MOST_BYTES = 256 * 1024 * 1024


def unpack(archive: bytes) -> Candidate:
    """Raises IntegrityError for what is no archive of a candidate with a well-formed plan."""
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            for member in tar:
                name = member.name.removeprefix("./")
                if name not in FILES:
                    continue
                data = tar.extractfile(member) if member.isreg() else None
                if data is None or member.size > MOST_BYTES:
                    raise IntegrityError(f"model.tar.gz: {name} is no file of a sensible size")
                files[name] = data.read()
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise IntegrityError(f"model.tar.gz cannot be read: {error}") from error
    candidate = Candidate(files)
    load(files[PLAN])
    return candidate
