"""The plan: a fitted model as data, and the compiler that answers from it.

Everything here is the standard library, except :mod:`driftloop.plan.export`, which walks a
fitted scikit-learn pipeline, and :mod:`driftloop.plan.background`; both are only imported where
models are trained.
"""

from driftloop.plan.inputs import Input, Row
from driftloop.plan.scorer import Scorer, load

__all__ = ["Input", "Row", "Scorer", "load"]
