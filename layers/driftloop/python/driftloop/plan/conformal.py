"""How far a regression's answers miss, as an interval that holds whatever the model is.

Split conformal prediction: Lei, G'Sell, Rinaldo, Tibshirani and Wasserman, "Distribution-free
predictive inference for regression" (2018), on signed errors with half of what is allowed to each
side (Linusson, Johansson and Löfström, "Signed-error conformal regression", 2014). If the rows to
come and the ``n`` rows kept back are exchangeable, the truth lies inside with at least the
confidence asked, whatever ``n``. Where data drifts they are not: the coverage measured in time's
order (:func:`coverage`) says what that costs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

CONFIDENCE = 0.9


def interval(errors: Sequence[float], confidence: float = CONFIDENCE) -> dict[str, float] | None:
    """``{"confidence", "low", "high"}`` to add to an answer, from the errors (truth - answer) of
    rows the model has not learned from.

    The k-th smallest and largest of n errors, where the next one is beyond either with a chance of
    k / (n + 1) at most; None where not even the extremes are safe (fewer than 19 rows for 0.9).
    """
    allowed = (1.0 - confidence) / 2.0
    k = math.floor((len(errors) + 1) * allowed + 1e-9)
    if k < 1:
        return None
    ordered = sorted(errors)
    return {"confidence": confidence, "low": ordered[k - 1], "high": ordered[-k]}


def coverage(errors: Sequence[float], confidence: float = CONFIDENCE) -> tuple[float, int] | None:
    """The share of the later half of the errors inside the interval that the earlier half gives,
    and how many those are: an interval is not to be judged by the rows it is made from.

    errors: in the order of time, where there is one. None where the half gives no interval.
    """
    half = len(errors) // 2
    made = interval(errors[:half], confidence)
    if made is None:
        return None
    later = errors[half:]
    return sum(made["low"] <= e <= made["high"] for e in later) / len(later), len(later)
