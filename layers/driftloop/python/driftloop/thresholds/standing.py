"""What an alarm over several windows compares with 1."""

from __future__ import annotations

from collections.abc import Sequence

from driftloop.spec_words import of


def standing(ratios: Sequence[float | None], alarm: str) -> float | None:
    """The M-th largest of the last N ratios, for the alarm ``"M of N"``: above 1 just if M of them
    are. Oldest first; a window that was not judged (None) counts neither way. None with fewer than
    M.

    >>> standing([0.2, 1.4, None, 0.6, 1.2], "2 of 3")
    1.2
    >>> standing([1.4], "2 of 3") is None
    True
    """
    enough, windows = of(alarm)
    last = sorted([ratio for ratio in ratios if ratio is not None][-windows:], reverse=True)
    return last[enough - 1] if len(last) >= enough else None
