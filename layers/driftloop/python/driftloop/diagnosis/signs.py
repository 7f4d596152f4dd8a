"""Everything that was found in a window, before it is weighed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from driftloop.diagnosis.missing_source import Silence
from driftloop.diagnosis.new_category import Newcomers
from driftloop.diagnosis.quality import Quality
from driftloop.diagnosis.unit_bug import Bug
from driftloop.spec import Trouble


@dataclass(frozen=True)
class Signs:
    """``drifted``: whether inputs or predictions are over their thresholds; ``moved``: the
    features that are, worst first; ``parts``: each feature's of the drift; ``quality``: what the
    labels say, where they say the model errs more than allowed; ``expected``: the loss that was
    estimated without labels."""

    drifted: bool
    moved: list[str]
    parts: Mapping[str, float]
    silent: Mapping[str, Silence]
    bugs: Mapping[str, Bug]
    newcomers: Mapping[str, Newcomers]
    quality: Quality | None
    expected: float | None

    def part(self, names: Iterable[str]) -> float:
        """Of the drift, that of these features."""
        return sum(self.parts[name] for name in names)

    def concerned(self, kind: Trouble) -> list[str]:
        """The features that this kind is about, worst first."""
        names: Iterable[str]
        match kind:
            case "missing_source":
                names = self.silent
            case "unit_bug":
                names = self.bugs
            case "new_category":
                names = self.newcomers
            case "concept_shift" if self.quality:
                return [c.name for c in self.quality.changed if c.explained > 0]
            case _:
                names = self.moved
        return sorted(names, key=lambda name: (-self.parts[name], name))
