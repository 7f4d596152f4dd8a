"""Regular expressions that a stranger's text may be matched against.

Python's matcher backtracks: it may try every way in which a pattern can read a text, and
``(a+)+`` has 2**n of them for n letters. The endpoint matches what callers send; so the number of
ways is bounded when the spec is read. What gives nothing back once it matched (a possessive repeat
such as ``(?:AB|CD)++``, an atomic group, a look-ahead) is one way to what stands around it.
"""

from __future__ import annotations

import math
import re
import warnings
from re import _parser  # type: ignore[attr-defined]  # a pattern's own structure; no public way
from typing import Any

LONGEST = 256
"""Characters of a text that is matched at all; a longer one is refused before."""
MOST_WAYS = 2**18  # two endless repeats and a little; a millisecond a text at the very worst
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")


def refusal(pattern: str) -> str | None:
    """Why ``pattern`` cannot be used; None if it can."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # what will be read otherwise one day
            re.compile(pattern)
            ways = _ways(_parser.parse(pattern))
    except (re.error, OverflowError, RecursionError, FutureWarning) as error:
        return f"is no regular expression: {error}"
    if ways > math.log2(MOST_WAYS):
        return (
            "can read one text in too many ways, and matching would take as long; let repeats give "
            "nothing back, like [A-Z]++ or (?:AB|CD)++, or bound them, like {1,8}"
        )
    return None


def _ways(parsed: Any) -> float:
    """Upper bound of the ways to match a text of LONGEST characters, as a power of two."""
    return sum(_of(str(op), argument) for op, argument in parsed)


def _of(op: str, argument: Any) -> float:
    if op in _REPEATS:
        least, most, inner = argument
        most = min(int(most), LONGEST)
        ways = most * _ways(inner) + math.log2(max(most - least, 0) + 1)
        return _once(_ways(inner)) if op == "POSSESSIVE_REPEAT" else ways
    if op == "BRANCH":
        return _either(argument[1])
    if op == "GROUPREF_EXISTS":
        return _either([branch for branch in argument[1:] if branch is not None])
    if op == "SUBPATTERN":
        return _ways(argument[3])
    if op == "ATOMIC_GROUP":
        return _once(_ways(argument))
    if op in ("ASSERT", "ASSERT_NOT"):
        return _once(_ways(argument[1]))
    return 0.0


def _either(branches: list[Any]) -> float:
    return max(map(_ways, branches)) + math.log2(len(branches))


def _once(ways: float) -> float:
    """What is never gone back to counts for nothing, unless it is too much in itself."""
    return ways if ways > math.log2(MOST_WAYS) else 0.0
