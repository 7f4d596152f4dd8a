"""A dataset → a frame and its recipe, which names all that is needed to build the same bytes again.

The frame is built in :mod:`driftloop.framing`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from driftloop import frame, keys, withheld
from driftloop.blobs import Blobs, get_all
from driftloop.data import dataset, parquet
from driftloop.data.dataset import Dataset
from driftloop.data.rows import Rows, kinds
from driftloop.errors import DataError, IntegrityError, NotEnoughData, NotFound, SpecError
from driftloop.framing import build
from driftloop.spec import Spec
from driftloop.withheld import Mark

__all__ = ["FORMAT", "build", "prepare", "rebuild"]

FORMAT = "driftloop.recipe/2"
"""Of recipes, and of the way in which rows become a frame: another way is another format."""
Held = Mapping[str, Sequence[Mark]]
"""By part, the windows of which its rows are left out."""
SHAPING = ("duplicates", "window", "earliest", "latest", "rules", "split", "holdout")
"""What of a spec's ``data`` a frame depends on."""


def prepare(store: Blobs, spec: Spec, digest: str | None, now: str | None = None) -> dict[str, Any]:
    """Build and keep the frame of dataset ``digest``, without the rows of windows that are
    quarantined or, as of ``now`` (not given: nobody watches), have yet to be judged.

    Returns ``{"frame", "key", "recipe", "dataset", "rows", "train_rows", "holdout_rows",
    "classes"}``. Raises NotEnoughData.
    """
    if digest is None:
        raise NotEnoughData(f"no data yet: upload a CSV file under {keys.incoming(spec.name)}")
    found = dataset.load(store, spec.name, digest)
    marks = withheld.quarantined(store, spec.name)
    marks += withheld.to_be_judged(store, spec, now) if now else []
    held = {p.sha256: near for p in found.parts if (near := withheld.of_part(marks, p))}
    read = _read(store, spec, [p.sha256 for p in found.parts], held)
    built, counts, breaks = build(read, spec)
    data = built.to_bytes()
    name = hashlib.sha256(data).hexdigest()
    key, recipe = keys.frame(spec.name, name), keys.frame_recipe(spec.name, name)
    store.put_if_absent(key, data)
    store.put_if_absent(recipe, dataset.dump(_recipe(found, spec, name, counts, breaks, held)))
    return {
        "frame": name,
        "key": key,
        "recipe": recipe,
        "dataset": digest,
        "rows": counts["rows"],
        "train_rows": counts["train_rows"],
        "holdout_rows": counts["holdout_rows"],
        "classes": built.classes,
    }


def rebuild(store: Blobs, recipe: Mapping[str, Any]) -> bytes:
    """The bytes of the frame that ``recipe`` (a stored one, parsed) tells of, built anew.

    Raises DataError for a recipe of another format, NotFound when a part is no longer kept, and
    IntegrityError should other bytes come out.
    """
    name = f"frame {str(recipe.get('frame'))[:12]} cannot be built again"
    formats = [recipe.get("format"), recipe.get("frame_format")]
    if formats != [FORMAT, frame.FORMAT]:
        raise DataError(f"{name}: it is {formats}, and this code makes {[FORMAT, frame.FORMAT]}")
    try:
        said = recipe["spec"]
        spec = Spec.parse(said | {"features": dict(said["features"])}, "recipe")
        built, _, _ = build(_read(store, spec, recipe["parts"], recipe["held_back"]), spec)
    except SpecError as error:
        raise DataError(f"{name}: {error}") from None
    except NotFound as error:
        raise NotFound(f"{name}: a part of it is no longer kept ({error})") from None
    data = built.to_bytes()
    if hashlib.sha256(data).hexdigest() != recipe["frame"]:
        raise IntegrityError(f"{name}: other bytes came out")
    return data


def _read(store: Blobs, spec: Spec, parts: Sequence[str], held: Held) -> Iterator[Rows]:
    shape = kinds(spec)
    objects = get_all(store, (keys.part(spec.name, name) for name in parts))
    for name, (_, data) in zip(parts, objects, strict=True):
        rows = parquet.read(data, shape)
        yield rows.take(withheld.free(store, spec.name, name, held[name])) if name in held else rows


def _recipe(
    found: Dataset,
    spec: Spec,
    name: str,
    counts: dict[str, int],
    breaks: dict[str, int],
    held: Held,
) -> dict[str, Any]:
    said = spec.model_dump(mode="json")
    return {
        "format": FORMAT,
        "frame_format": frame.FORMAT,
        "frame": name,
        "dataset": found.digest,
        "parts": [part.sha256 for part in found.parts],
        "skipped_parts": list(found.skipped),
        "held_back": held,
        "spec": {
            **{key: said[key] for key in ("name", "task", "target", "time", "key")},
            "features": list(said["features"].items()),  # their order is the frame's
            "data": {key: said["data"][key] for key in SHAPING},
        },
        "split_by": spec.split_by,
        "counts": counts,
        "breaks_contract": breaks,
    }
