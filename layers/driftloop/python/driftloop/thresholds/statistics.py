"""The statistics a spec may ask for: which columns each suits, below what it does not matter, and
on what scale the null distributions of all of them look alike.

**Scale.** A statistic ``u`` is read as ``(−most · ln(1 − u / most)) ** power``. Between independent
samples one like χ² then scatters about as a normal one does at its third root, a distance (like χ)
at two thirds: Wilson & Hilferty, "The distribution of chi-square", PNAS 17, 1931. ``most`` is what
a window without anything in common with the training data would have: no threshold reaches it, so
such a window is always drift.

**Floors.** Below its floor a statistic is no drift, however certain. PSI's, 0.02, is what a shift
of the mean by 0.14 deviations makes of a normal column; those of the distances are theirs at that
shift. A share may move by a hundredth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from driftloop import drift

Floats = npt.NDArray[np.float64]
Role = Literal["number", "text", "answer", "classes"]
"""Of a feature, ``number`` or ``text``; of answers and labels, which are never missing, ``answer``
(a number) or ``classes``."""

SQUARE, DISTANCE = 1 / 3, 2 / 3


@dataclass(frozen=True)
class Counts:
    """What the statistics are computed from; of one window, or (axes before the last) of many.

    coarse, fine: rows with a value in each bin, float64[..., bins]. borders: of the fine bins of
    numbers, float64[bins + 1]. rows: all of them, float64[...].
    """

    coarse: Floats
    fine: Floats
    borders: Floats
    rows: Floats

    @property
    def present(self) -> Floats:
        """Rows with a value."""
        return np.asarray(self.coarse.sum(-1))

    @property
    def missing(self) -> Floats:
        """Share of the rows without one."""
        return np.asarray(1 - self.present / np.maximum(self.rows, 1))


@dataclass(frozen=True)
class Statistic:
    """``between``: of the reference and windows; ``power``: of its scale; ``floor``: of one row
    if it ``grows`` with them; ``of_rows``: with and without a value."""

    between: Callable[[Counts, Counts], Floats]
    suits: frozenset[Role]
    power: float
    floor: float
    most: Callable[[Counts, Counts], Floats]
    grows: bool = False
    of_rows: bool = False

    def floors(self, window: Counts) -> Floats:
        return self.floor * (window.present if self.grows else np.ones(window.rows.shape))

    @property
    def fall(self) -> float:
        """With what power of the rows it falls between independent samples."""
        return 0.0 if self.grows else 1 / (3 * self.power)

    def size(self, reference: Counts, window: Counts) -> Floats:
        """Rows of a window that hold as many values, if it is about values."""
        held = np.maximum(1 - reference.missing, 1e-9)
        return window.rows if self.of_rows else np.asarray(window.present / held)

    def scaled(self, value: npt.ArrayLike, most: npt.ArrayLike) -> Floats:
        """Finite also at ``most``, and beyond."""
        bound = np.maximum(most, 1e-12)
        share = np.minimum(value / bound, 1 - 1e-3)
        return np.asarray((-bound * np.log1p(-share)) ** self.power)

    def unscaled(self, scaled: npt.ArrayLike, most: npt.ArrayLike) -> Floats:
        """Below ``most``."""
        bound = np.maximum(most, 1e-12)
        return np.asarray(-bound * np.expm1(-(np.maximum(scaled, 0.0) ** (1 / self.power)) / bound))


def _over(
    statistic: Callable[[Floats, Floats], Floats],
) -> tuple[Callable[[Counts, Counts], Floats], Callable[[Counts, Counts], Floats]]:
    """A statistic of the coarse bins, and the most of it: all rows in the least filled bin."""

    def most(reference: Counts, window: Counts) -> Floats:
        least = np.argmin(reference.coarse, axis=-1)[..., None]
        rarest = np.arange(reference.coarse.shape[-1]) == least
        return statistic(reference.coarse, rarest * window.present[..., None])

    return lambda p, q: statistic(p.coarse, q.coarse), most


def _far(value: float) -> Callable[[Counts, Counts], Floats]:
    return lambda _, q: np.full(q.rows.shape, value)


_ANY: frozenset[Role] = frozenset({"number", "text", "answer", "classes"})
_NUMBERS: frozenset[Role] = frozenset({"number", "answer"})
_FEATURES: frozenset[Role] = frozenset({"number", "text"})
_TEXTS: frozenset[Role] = frozenset({"text", "classes"})

_psi, _most_psi = _over(drift.psi)
_js, _most_js = _over(drift.jensen_shannon)
_hellinger, _most_hellinger = _over(drift.hellinger)
_chi, _most_chi = _over(drift.chi_squared)

STATISTICS = {
    "psi": Statistic(_psi, _ANY, SQUARE, 0.02, _most_psi),
    "jensen_shannon": Statistic(_js, _ANY, DISTANCE, 0.06, _most_js),
    "hellinger": Statistic(_hellinger, _ANY, DISTANCE, 0.05, _most_hellinger),
    "kolmogorov_smirnov": Statistic(
        lambda p, q: drift.kolmogorov_smirnov(p.fine, q.fine), _NUMBERS, DISTANCE, 0.055, _far(1.0)
    ),
    "wasserstein": Statistic(
        lambda p, q: drift.wasserstein(p.fine, q.fine, q.borders),
        _NUMBERS, DISTANCE, 0.14, _far(1e9),
    ),
    "chi_squared": Statistic(_chi, _ANY, SQUARE, 0.02, _most_chi, grows=True),
    "missing": Statistic(
        lambda p, q: drift.missing_shift(p.missing, q.missing), _FEATURES, DISTANCE, 0.01,
        lambda p, q: np.maximum(p.missing, 1 - p.missing) + 0 * q.rows, of_rows=True,
    ),
    "new_category": Statistic(
        lambda p, q: drift.new_category_rate(p.fine, q.fine), _TEXTS, DISTANCE, 0.01, _far(1.0)
    ),
    "out_of_range": Statistic(
        lambda p, q: drift.out_of_range_rate(p.fine, q.fine), _NUMBERS, DISTANCE, 0.01, _far(1.0)
    ),
}  # fmt: skip


def suiting(asked: Iterable[str], role: Role) -> list[str]:
    """Those of the statistics asked for that say something of such a column."""
    return [name for name in asked if role in STATISTICS[name].suits]
