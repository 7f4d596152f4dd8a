"""The steps of a batch, as its state machine calls them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driftloop.batch.asked import Batch
from driftloop.batch.chunk import score_chunk
from driftloop.batch.division import CHUNK, divide
from driftloop.batch.merge import merge, refuse
from driftloop.blobs import Blobs
from driftloop.errors import DataError, NotFound
from driftloop.plan import Scorer, load
from driftloop.spec import Spec


@dataclass(frozen=True)
class Work:
    """Every step raises IntegrityError for a plan that is not the one its batch names (law 7)."""

    store: Blobs
    landing: Blobs
    spec: Spec

    def divide(self, batch: Batch, code: str, size: int = CHUNK) -> dict[str, Any]:
        """Cut the file into chunks of ``size`` bytes of text; returns ``{"folder", "chunks",
        "items"}``. A file that cannot be scored is reported, and the DataError raised."""
        scorer = self._scorer(batch)
        try:
            return divide(self.store, self.landing, self.spec, batch, scorer, code, size)
        except (DataError, NotFound) as error:
            refuse(self.store, self.spec, batch, error)
            raise

    def score(self, batch: Batch, where: str, number: int, folder: Path) -> bool:
        """Score chunk ``number`` of the division at ``where``; False when it was already."""
        scorer = self._scorer(batch)
        return score_chunk(
            self.store, self.landing, self.spec, batch, scorer, where, number, folder
        )  # fmt: skip

    def merge(self, batch: Batch, where: str, folder: Path) -> dict[str, Any]:
        """Join the chunks; returns the report's figures. Raises the DataError of a chunk that could
        not be read, reported as well."""
        report = merge(self.store, self.spec, batch, where, folder)
        return {name: report[name] for name in ("batch", "rows", "predicted", "rejected")}

    def no_version(self, batch: Batch) -> dict[str, Any]:
        """Report that there is nothing yet that could score the file."""
        error = NotFound(f"{self.spec.name} has no released version; upload the file again later")
        refuse(self.store, self.spec, batch, error)
        return {"refused": str(error)}

    def _scorer(self, batch: Batch) -> Scorer:
        return load(self.store.get(batch.served.key), batch.served.sha256)
