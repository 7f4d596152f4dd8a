"""How far two distributions lie apart: one statistic a file, all over counts in the same bins.

Each takes the reference's counts and the window's (numbers of rows, whole or not; the last axis is
the bins, all before it broadcast) and gives one number for each pair: float64[...]. One call so
serves a window, or all windows and columns at once. Bins that both sides leave empty change
nothing, so columns of fewer bins may be padded with zeros. Where one side has no rows at all there
is nothing to compare, and every statistic is 0; none is ever NaN or infinite. Missing values are
no bin: they have a statistic of their own.

====================== ============ ========================================= ====================
statistic              bins         ours                                      range
====================== ============ ========================================= ====================
``psi``                any          half a row added to each bin              0 …
``jensen_shannon``     any          distance (the root), base 2               0 … 1
``hellinger``          any          distance                                  0 … 1
``chi_squared``        any          of the 2 × bins table, no correction      0 …
``kolmogorov_smirnov`` in order     the distance, no p-value                  0 … 1
``wasserstein``        in order     in deviations of the reference            0 … FARTHEST
``missing_shift``      –            difference of the shares of missing rows  0 … 1
``new_category_rate``  any          share of rows in bins the reference has   0 … 1
                                    none in
``out_of_range_rate``  in order     share below all or above all of the       0 … 1
                                    reference's
====================== ============ ========================================= ====================
"""

from driftloop.drift.chi_squared import chi2_quantile, chi_squared
from driftloop.drift.hellinger import hellinger
from driftloop.drift.jensen_shannon import jensen_shannon
from driftloop.drift.kolmogorov_smirnov import kolmogorov_smirnov
from driftloop.drift.missing_shift import missing_shift
from driftloop.drift.new_category_rate import new_category_rate
from driftloop.drift.out_of_range_rate import out_of_range_rate
from driftloop.drift.psi import psi
from driftloop.drift.wasserstein import wasserstein

__all__ = [
    "chi2_quantile",
    "chi_squared",
    "hellinger",
    "jensen_shannon",
    "kolmogorov_smirnov",
    "missing_shift",
    "new_category_rate",
    "out_of_range_rate",
    "psi",
    "wasserstein",
]
