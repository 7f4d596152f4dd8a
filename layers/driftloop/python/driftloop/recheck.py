"""Rows of older parts against today's contract: a spec may have become stricter since."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftloop import columnar
from driftloop.parquet import TYPES
from driftloop.rows import Rows
from driftloop.spec import Spec


def recheck(rows: Rows, spec: Spec) -> tuple[npt.NDArray[np.bool_], dict[str, int]]:
    """Where a row still keeps the contract, and how many break it, by ``rule|field``.

    What holds among the rows of one upload (``max_categories``, ``unique``, ``future``) is not
    looked at again.
    """
    _, faults = columnar.check(spec, {name: _arrow(rows, name) for name in rows.kinds})
    kept = np.ones(len(rows), dtype=bool)
    kept[list(faults)] = False
    return kept, dict(Counter(f"{fault.rule}|{fault.field}" for fault in faults.values()))


def _arrow(rows: Rows, name: str) -> Any:
    return pa.array(rows.columns[name], TYPES[rows.kinds[name]], from_pandas=True)
