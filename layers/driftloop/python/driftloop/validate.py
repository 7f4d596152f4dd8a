"""The verdict: may this candidate become a version? Every gate says why, in words, with numbers.

All gates judge on the holdout, which the candidate has not learned from. What the champion learned
from may reach into it (an older champion cannot; one trained on the same dataset shares its
split): that favours the champion, never the candidate.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from driftloop import losses
from driftloop.answers import Floats, answers, why_incomparable
from driftloop.bootstrap import Ints, clusters, compare
from driftloop.errors import BadRequest
from driftloop.explain import importance
from driftloop.frame import Frame
from driftloop.plan import Scorer, conformal
from driftloop.releasing.distance import Distance, between
from driftloop.slices import Slice, judged
from driftloop.spec import CLASSIFICATION_METRICS, REGRESSION_METRICS, BeatsChampion, Spec

TIMED_ROWS = 200


@dataclass(frozen=True)
class Reason:
    gate: str
    passed: bool
    text: str


@dataclass(frozen=True)
class Champion:
    """The version that answers now."""

    version: int
    scorer: Scorer


@dataclass(frozen=True)
class Verdict:
    """``metrics`` hold only what is defined: never NaN. ``importance`` and ``interval`` are the
    candidate's; ``distance`` is how far its answers are from the champion's."""

    accepted: bool
    reasons: list[Reason]
    metrics: dict[str, float]
    champion: int | None
    champion_metrics: dict[str, float]
    rows: int
    slices: list[Slice] = field(default_factory=list)
    importance: list[dict[str, Any]] = field(default_factory=list)
    interval: dict[str, Any] | None = None
    distance: Distance | None = None

    def summary(self) -> dict[str, Any]:
        """What the run carries on."""
        return {
            "accepted": self.accepted,
            "reasons": [asdict(reason) for reason in self.reasons],
            "metrics": self.metrics,
            "champion": self.champion,
            "champion_metrics": self.champion_metrics,
            "distance": self.distance and asdict(self.distance),
        }

    def report(self) -> dict[str, Any]:
        """Everything, for the record and the model card."""
        return asdict(self)


def validate(
    frame: Frame,
    spec: Spec,
    candidate: Scorer,
    champion: Champion | None,
    clock: Callable[[], float],
) -> Verdict:
    """Judge ``candidate`` by the spec's gates.

    clock: seconds, for how long an answer takes; read only when the spec has such a gate.
    """
    case = _case(frame.take(frame.holdout), candidate, champion)
    holdout, ours, theirs = case.holdout, case.ours, case.theirs
    metrics = _metrics(spec, holdout, ours)
    reasons = _metric_gates(spec, metrics, holdout.rows)
    found = judged(spec, holdout, ours, theirs, case.cluster)
    if spec.gates.beats_champion:
        reasons.append(_beats(spec.gates.beats_champion, spec.training.seed, case))
    if spec.gates.slices:
        reasons.append(_slices_gate(found, case))
    if spec.gates.latency_ms is not None:
        reasons.append(_latency_gate(spec.gates.latency_ms, candidate, holdout, clock))
    if not reasons:
        reasons.append(Reason("none", True, "the spec has no gates"))
    return Verdict(
        accepted=all(reason.passed for reason in reasons),
        reasons=reasons,
        metrics=metrics,
        champion=champion.version if champion else None,
        champion_metrics={} if theirs is None else _metrics(spec, holdout, theirs),
        rows=holdout.rows,
        slices=found,
        importance=importance(candidate, holdout, spec.metric, spec.training.seed),
        interval=_interval(candidate, holdout, ours),
        distance=_distance(case),
    )


@dataclass(frozen=True)
class _Case:
    """What the gates look at. ``theirs`` None with a champion: ``obstacle`` says why."""

    holdout: Frame
    ours: Floats
    theirs: Floats | None
    champion: Champion | None
    obstacle: str | None
    same_plan: bool
    cluster: Ints
    by: str


def _case(holdout: Frame, candidate: Scorer, champion: Champion | None) -> _Case:
    theirs, obstacle, same = None, None, False
    if champion is not None:
        same = champion.scorer.sha256 == candidate.sha256
        obstacle = why_incomparable(champion.scorer, holdout)
        try:
            theirs = None if obstacle else answers(champion.scorer, holdout)
        except BadRequest as error:
            obstacle = str(error)
    cluster, by = clusters(holdout.time, holdout.rows)
    ours = answers(candidate, holdout)
    return _Case(holdout, ours, theirs, champion, obstacle, same, cluster, by)


def _distance(case: _Case) -> Distance | None:
    if case.champion is None or case.theirs is None:
        return None
    return between(case.champion.version, case.ours, case.theirs)


def _metrics(spec: Spec, holdout: Frame, scores: Floats) -> dict[str, float]:
    names = CLASSIFICATION_METRICS if spec.task == "classification" else REGRESSION_METRICS
    values = {name: losses.value(name, holdout.target, scores) for name in names}
    return {n: v for n, v in values.items() if v is not None and np.isfinite(v)}


def _interval(candidate: Scorer, holdout: Frame, ours: Floats) -> dict[str, Any] | None:
    """A regression's interval, and the share of rows it holds as measured in time's order."""
    around = candidate.interval(0.0)
    if around is None or candidate.confidence is None:
        return None
    errors = holdout.target - ours
    in_time = errors if holdout.time is None else errors[np.argsort(holdout.time, kind="stable")]
    measured = conformal.coverage(in_time.tolist(), candidate.confidence)
    share, rows = measured or (None, 0)
    made = {"confidence": candidate.confidence, "low": around[0], "high": around[1]}
    return made | {"coverage": share, "coverage_rows": rows}


def _metric_gates(spec: Spec, metrics: Mapping[str, float], rows: int) -> list[Reason]:
    reasons = []
    for name, rule in spec.gates.metrics.items():
        gate = f"metrics.{name}"
        if name not in metrics:
            text = f"{name} is undefined on the {rows:,} rows of the holdout (one class only?)"
            reasons.append(Reason(gate, False, text))
        else:
            text = f"{name} is {metrics[name]:.4f} on {rows:,} rows of holdout; asked is {rule}"
            reasons.append(Reason(gate, _holds(metrics[name], rule), text))
    return reasons


def _holds(value: float, rule: str) -> bool:
    rule = rule.strip()
    sign = rule[:2] if rule[1] == "=" else rule[0]
    limit = float(rule[len(sign) :])
    return {">=": value >= limit, "<=": value <= limit, ">": value > limit, "<": value < limit}[
        sign
    ]


def _beats(rule: BeatsChampion, seed: int, case: _Case) -> Reason:
    gate, champion, holdout = "beats_champion", case.champion, case.holdout
    if champion is None:
        return Reason(gate, True, "there is no champion yet")
    name = f"version {champion.version}"
    if case.theirs is None:
        return Reason(gate, True, f"{name} cannot be compared: {case.obstacle}")
    if case.same_plan:
        return Reason(gate, False, f"it is {name} over again: the same plan")
    result = compare(
        rule.metric,
        holdout.target,
        case.ours,
        case.theirs,
        case.cluster,
        case.by,
        confidence=rule.confidence,
        seed=seed,
    )
    if result is None:
        text = f"{rule.metric} is undefined on the {holdout.rows:,} rows of the holdout"
        return Reason(gate, False, text)
    here = losses.value(rule.metric, holdout.target, case.ours)
    there = losses.value(rule.metric, holdout.target, case.theirs)
    word = "better" if result.gain > 0 else "worse"
    return Reason(
        gate,
        result.share >= rule.confidence,
        f"{rule.metric} is {here:.4f} against {there:.4f} of {name} on the same "
        f"{holdout.rows:,} rows: {word} by {abs(result.gain):.4f} "
        f"({rule.confidence:.0%} interval of the gain {result.low:+.4f} to {result.high:+.4f}), "
        f"better in {result.share:.1%} of {result.resamples:,} resamples of "
        f"{result.clusters:,} {case.by}; asked are {rule.confidence:.1%}",
    )


def _slices_gate(found: list[Slice], case: _Case) -> Reason:
    if case.champion is None or case.theirs is None:
        text = f"{len(found)} slices reported; there is no champion to compare them with"
        return Reason("slices", True, text)
    name = f"version {case.champion.version}"
    worse = [s for s in found if s.worse]
    if not worse:
        return Reason("slices", True, f"none of {len(found)} slices is shown worse than {name}")
    first = max(worse, key=lambda s: s.loss - (s.champion_loss or 0.0))
    return Reason(
        "slices",
        False,
        f"{len(worse)} of {len(found)} slices are worse than {name}, most "
        f"{first.column} = {first.value} ({first.rows:,} rows): {first.metric} {first.loss:.4f} "
        f"against {first.champion_loss:.4f} (p = {first.p:.2g})",
    )


def _latency_gate(
    limit: float, scorer: Scorer, holdout: Frame, clock: Callable[[], float]
) -> Reason:
    timed = holdout.take(np.arange(min(TIMED_ROWS, holdout.rows)))
    spent = []
    for instance in timed.instances():
        start = clock()
        try:
            scorer.score([scorer.row(instance)])
        except BadRequest:  # an older, laxer spec admitted it; the endpoint would not
            continue
        spent.append(clock() - start)
    if not spent:
        text = f"the endpoint would refuse each of {timed.rows} rows of holdout"
        return Reason("latency_ms", False, text)
    median = statistics.median(spent) * 1000
    text = f"a row takes {median:.3g} ms (median of {len(spent)}); allowed are {limit:g} ms"
    return Reason("latency_ms", median <= limit, text)
