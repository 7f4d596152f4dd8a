"""A fitted pipeline as a skops file: the genuine scikit-learn object, without pickle.

It is kept beside the plan for people and other tools; the loop itself answers from the plan.
skops names things by their address in memory and stamps the time of day; both are made canonical
here, so that the same pipeline gives the same bytes.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import skops.io
from sklearn.pipeline import Pipeline

_EPOCH = (1980, 1, 1, 0, 0, 0)
# What skops does not trust by itself of what our pipelines hold; none of them runs foreign code.
TRUSTED = (
    "functools.partial",
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    "sklearn.utils.validation.check_array",
)


def dumps(pipeline: Pipeline) -> bytes:
    """The pipeline's bytes, the same in every process."""
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(pipeline))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(members.pop("schema.json"))
    numbers: dict[int, int] = {}
    files: dict[str, str] = {}
    _renumber(schema, numbers, files)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for old, new in files.items():
            archive.writestr(zipfile.ZipInfo(new, _EPOCH), members[old])
        text = json.dumps(schema, sort_keys=True, separators=(",", ":"))
        archive.writestr(zipfile.ZipInfo("schema.json", _EPOCH), text)
    return buffer.getvalue()


def loads(data: bytes) -> Pipeline:
    """The pipeline again. Raises skops' UntrustedTypesFoundException for any other type."""
    return skops.io.loads(data, trusted=list(TRUSTED))


def _renumber(node: Any, numbers: dict[int, int], files: dict[str, str]) -> None:
    """Count identities and files in order of appearance, in place."""
    if isinstance(node, list):
        for item in node:
            _renumber(item, numbers, files)
    elif isinstance(node, dict):
        if isinstance(node.get("__id__"), int):
            node["__id__"] = numbers.setdefault(node["__id__"], len(numbers) + 1)
        if "__loader__" in node and isinstance(node.get("file"), str):
            old = node["file"]
            node["file"] = files.setdefault(old, f"{len(files)}.{old.rpartition('.')[2]}")
        for item in node.values():
            _renumber(item, numbers, files)
