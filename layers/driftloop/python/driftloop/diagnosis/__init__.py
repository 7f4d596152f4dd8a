"""What an alarm is about: which features moved, what kind of trouble it looks like, and the action
that the spec's policy has for it (``retrain.policy``).

One window by itself is looked at, so the same rows and labels give the same diagnosis, in whatever
order windows are judged. Each sign is a file: :mod:`~driftloop.diagnosis.missing_source`,
:mod:`~driftloop.diagnosis.unit_bug`, :mod:`~driftloop.diagnosis.new_category`,
:mod:`~driftloop.diagnosis.earlier`, :mod:`~driftloop.diagnosis.relation` and
:mod:`driftloop.recalibration`; :mod:`~driftloop.diagnosis.kinds` weighs them.
"""

from driftloop.diagnosis.found import Diagnosis, Feature
from driftloop.diagnosis.kinds import diagnose

__all__ = ["Diagnosis", "Feature", "diagnose"]
