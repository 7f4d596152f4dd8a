"""Rows of older parts against today's contract: a spec may have become stricter since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftloop.checking import columnar
from driftloop.data import rowhash
from driftloop.data.parquet import TYPES, canonical_of
from driftloop.data.rows import Rows
from driftloop.spec import Spec

Arrow = Mapping[str, Any]
"""Columns as arrow arrays of ``parquet.TYPES``."""


def arrow(rows: Rows) -> Arrow:
    return {
        name: pa.array(values, TYPES[rows.kinds[name]], from_pandas=True)
        for name, values in rows.columns.items()
    }


def hashes(columns: Arrow, names: Sequence[str]) -> rowhash.Hashes:
    """uint64 ``(n,)``: what ``Rows.hashes`` gives, without a Python object a value."""
    return rowhash.rows({name: rowhash.values(canonical_of(columns[name])) for name in names})


def recheck(columns: Arrow, spec: Spec) -> tuple[npt.NDArray[np.bool_], dict[str, int]]:
    """Where a row still keeps the contract, and how many break it, by ``rule|field``.

    What holds among the rows of one upload (``max_categories``, ``unique``, ``future``) is not
    looked at again.
    """
    _, faults = columnar.check(spec, columns)
    kept = np.ones(len(next(iter(columns.values()))), dtype=bool)
    kept[list(faults)] = False
    return kept, dict(Counter(f"{fault.rule}|{fault.field}" for fault in faults.values()))
