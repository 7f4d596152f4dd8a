"""Texts of Parquet that are not UTF-8, though their writer says so: Arrow believes it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Mask = npt.NDArray[np.bool_]


def parted(batch: Any) -> tuple[Mask, Any]:
    """Where all texts of a row are UTF-8; and the batch with ``\\xfc`` for bytes that are not."""
    sound = np.ones(len(batch), dtype=bool)
    for at, column in enumerate(batch.columns):
        folded = pa.types.is_dictionary(column.type)
        words = column.dictionary if folded else column
        if not _is_text(words.type) or _is_sound(words):
            continue
        raw = words.cast(pa.string()).view(pa.binary()).to_pylist()
        told = [None if word is None else word.decode("utf-8", "backslashreplace") for word in raw]
        same = [(t or "").encode() == (w or b"") for w, t in zip(raw, told, strict=True)]
        shown = pa.array(told, pa.string())
        if folded:
            codes = column.indices.fill_null(len(same)).to_numpy()
            sound &= np.array([*same, True])[codes]
            shown = pa.DictionaryArray.from_arrays(column.indices, shown)
        else:
            sound &= np.array(same)
        batch = batch.set_column(at, batch.schema.names[at], shown)
    return sound, batch


def _is_sound(words: Any) -> bool:
    try:
        words.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _is_text(form: Any) -> bool:
    t = pa.types
    return bool(t.is_string(form) or t.is_large_string(form) or t.is_string_view(form))
