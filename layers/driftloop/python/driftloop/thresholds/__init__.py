"""Thresholds from a budget of false alarms: from blocks of the training data (``blocks``) the null
distribution of every statistic (``statistics``, ``null``), from the largest of each block a level
(``tail``) at the rate the budget allows (``budget``), and what an alarm over several windows
compares with it (``standing``)."""

from driftloop.thresholds.standing import standing

__all__ = ["standing"]
