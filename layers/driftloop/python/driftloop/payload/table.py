"""Predictions as ``text/csv`` (RFC 4180), for who asks for it: a header line, then one a row."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any

CONTENT_TYPE = "text/csv; charset=utf-8; header=present"


def table(documents: list[dict[str, Any]]) -> str:
    """``id,value,probability``, or ``probability_<class>`` where there are more than two."""
    out = StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([name for name, _ in flat(documents[0])])
    writer.writerows([value for _, value in flat(document)] for document in documents)
    return out.getvalue()


def flat(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """A prediction's values by the names of their columns: ``interval_low``."""
    for name, value in document.items():
        if isinstance(value, Mapping):
            singular = "probability" if name == "probabilities" else name
            yield from ((f"{singular}_{inner}", part) for inner, part in value.items())
        else:
            yield name, value
