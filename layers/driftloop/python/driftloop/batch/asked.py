"""What is asked for when a file lands under ``batch/<model>/``. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from driftloop import keys
from driftloop.errors import BadRequest
from driftloop.rejects.quarantine import upload_name
from driftloop.route import Served
from driftloop.uploads.upload import File
from driftloop.when import iso, parse, to_ms


@dataclass(frozen=True)
class Batch:
    """One version of one landed object, and the version of the model that scores it (None: there
    is none yet). ``now``: when it landed, ISO 8601; the predictions' ids are of that moment."""

    bucket: str
    file: File
    now: str
    champion: Served | None = None

    @classmethod
    def read(cls, raw: Mapping[str, Any], model: str) -> Self | None:
        """From S3's event; None for what is no data: a folder, or a name that begins with ``_`` or
        ``.``. Raises BadRequest for an event that no rule of ours should have sent."""
        try:
            bucket, found = raw["detail"]["bucket"]["name"], raw["detail"]["object"]
            key, now = found["key"], iso(parse(raw["time"]))
            file = File(key, found.get("version-id"), int(found.get("size", 0)))
        except (KeyError, TypeError, ValueError) as error:
            raise BadRequest(f"no event of an object that has landed: {error!r}") from error
        if not key.startswith(keys.batch_file(model)):
            raise BadRequest(f"{key} is not under {keys.batch_file(model)}")
        if key.rpartition("/")[2][:1] in ("", "_", "."):
            return None
        return cls(bucket, file, now)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        champion = body["champion"]
        return cls(
            bucket=body["bucket"],
            file=File(**body["file"]),
            now=body["now"],
            champion=Served(**champion) if champion else None,
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def name(self) -> str:
        """One name per pinned object: 16 hex digits. It names the execution, too."""
        return upload_name(self.bucket, self.file.key, self.file.version_id)

    @property
    def served(self) -> Served:
        """The version that scores."""
        assert self.champion is not None
        return self.champion

    @property
    def ms(self) -> int:
        """When it landed, epoch milliseconds."""
        return to_ms(parse(self.now))
