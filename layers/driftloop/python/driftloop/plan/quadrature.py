"""Gauss and Legendre's rule of integration."""

from __future__ import annotations

import math
from functools import cache


@cache
def gauss_legendre(count: int) -> list[tuple[float, float]]:
    """Points and weights that integrate polynomials of a degree below ``2 * count`` over [0, 1].

    The roots of Legendre's polynomial by Newton's method (Press et al., Numerical Recipes, §4.6).
    """
    found = []
    for k in range(count):
        x = math.cos(math.pi * (k + 0.75) / (count + 0.5))
        for _ in range(100):
            below, here = 0.0, 1.0
            for j in range(count):
                below, here = here, ((2 * j + 1) * x * here - j * below) / (j + 1)
            slope = count * (x * here - below) / (x * x - 1.0)
            step = here / slope
            x -= step
            if abs(step) < 1e-15:
                break
        found.append(((1.0 + x) / 2.0, 1.0 / ((1.0 - x * x) * slope * slope)))
    return found
