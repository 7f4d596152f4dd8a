"""What the name of a column hints at."""

from __future__ import annotations

import re

_IDENTITY = {"id", "ids", "uuid", "guid", "pk", "rowid"}
_NUMBERED = {"key", "nr", "no", "num", "number", "index", "idx", "ref", "reference", "unnamed"}
_CODES = {"code", "type", "kind", "category", "cat", "class", "group", "zone", "region", "status",
          "cluster", "zip", "postcode", "sex", "gender"}  # fmt: skip
_TIMES = ("timestamp", "datetime", "ts", "time", "date", "at", "when", "day", "created", "on")
TARGETS = ("target", "label", "labels", "y", "outcome", "response", "class", "truth",
           "ground_truth", "is_target")  # fmt: skip
_OUTCOMES = {"survived", "churn", "churned", "default", "defaulted", "diagnosis", "species",
             "fraud", "price", "saleprice", "sale_price", "income", "quality", "late", "clicked",
             "click", "converted", "purchased", "approved", "result", "score", "rating", "output",
             "salary", "revenue", "sales", "demand", "progression", "failure", "won",
             "canceled", "cancelled", "returned"}  # fmt: skip


def tokens(name: str) -> list[str]:
    """``sepalLength_cm`` → sepal, length, cm."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return re.findall(r"[^\W\d_]+|\d+", spaced.lower())


def identity(name: str) -> bool:
    """``user_id``, ``uuid``: made to identify."""
    return not name.strip() or bool(_IDENTITY & set(tokens(name)[-1:]))


def numbered(name: str) -> bool:
    """``invoice no``, ``index``, pandas' ``Unnamed: 0``: identifies, if no value repeats."""
    return identity(name) or bool(_NUMBERED & {*tokens(name)[-1:], *tokens(name)[:1]})


def code(name: str) -> bool:
    """``region code``: its numbers are names."""
    return bool(_CODES & set(tokens(name)))


def moment(name: str) -> int:
    """How much it sounds like the time something happened; 0 for not at all."""
    said = set(tokens(name))
    return max((len(_TIMES) - i for i, word in enumerate(_TIMES) if word in said), default=0)


def target(name: str) -> int:
    """2: is called target or label. 1: named after what people predict. 0: neither."""
    plain = "_".join(tokens(name))
    if plain in TARGETS:
        return 2
    first = tokens(name)[:1]
    return int(plain in _OUTCOMES or first in (["target"], ["is"], ["has"], ["will"]))
