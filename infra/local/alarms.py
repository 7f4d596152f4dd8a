"""Metric alarms that watch: they judge when a metric arrives and when a period ends.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html

moto keeps alarms and never looks at them. Here an alarm has an appointment with the clock only
while a sample lies within its evaluation range; with nothing left to judge, nothing is scheduled.
"""

import json
import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.exceptions import InvalidParameterValue, ResourceNotFound, ValidationError
from moto.cloudwatch.models import Alarm, CloudWatchBackend

from .alarm_evaluation import COMPARISONS, MISSING, Condition, Point, Verdict, evaluate, is_final
from .alarm_state import ACTION_SERVICES, change_state
from .metrics import Sample, Series, check_statistic, floor, statistic
from .originals import original

if TYPE_CHECKING:
    from .clock import Handle
    from .server import Local

_SHORTEST, _LONGEST = 10, 604800


class Watch:
    """One alarm: which series, which condition, and the next look at it."""

    def __init__(self, alarm: Alarm) -> None:
        self.alarm = alarm
        metric = alarm_metric(alarm)
        self.series, self.statistic, self.period, self.unit = metric
        self.condition = Condition(
            alarm.comparison_operator,
            float(alarm.threshold),
            int(alarm.evaluation_periods),
            int(alarm.datapoints_to_alarm or alarm.evaluation_periods),
            alarm.treat_missing_data or "missing",
        )
        self.handle: Handle | None = None

    def decided_by(self, sample: Sample) -> bool:
        """Whether one sample of the running period is enough to alarm, whatever follows."""
        if self.alarm.state_value == "ALARM" or not is_final(self.condition, self.statistic):
            return False
        if self.statistic == "SampleCount":
            return True
        extreme = sample.high if self.statistic == "Maximum" else sample.low
        return self.condition.breaches(extreme)

    def cancel(self) -> None:
        if self.handle:
            self.handle.cancel()
            self.handle = None


def alarm_metric(alarm: Alarm) -> tuple[Series, str, int, str | None]:
    """Series, statistic, period (seconds) and unit; raises for metric math, which is not built."""
    if not alarm.metric_data_queries:
        dimensions = tuple(sorted((d.name, d.value) for d in alarm.dimensions))
        series = Series(alarm.namespace, alarm.metric_name, dimensions)
        name = alarm.statistic or alarm.extended_statistic or ""
        return series, name, int(alarm.period or 0), alarm.unit
    if len(alarm.metric_data_queries) > 1 or not alarm.metric_data_queries[0].metric_stat:
        raise InvalidParameterValue(f"Alarm {alarm.name}: metric math is not supported here.")
    stat = alarm.metric_data_queries[0].metric_stat
    dimensions = tuple(sorted((d.name, d.value) for d in stat.metric.dimensions))
    series = Series(stat.metric.namespace, stat.metric.metric_name, dimensions)
    return series, stat.stat, int(stat.period), stat.unit


class Alarms:
    """All metric alarms of the account, by name."""

    def __init__(self, local: "Local") -> None:
        self.local = local
        self._watches: dict[str, Watch] = {}
        self._lock = threading.RLock()

    def watch(self, alarm: Alarm) -> None:
        """Begin to judge; the first look is at the end of the running period."""
        watch = Watch(alarm)
        _check(watch)
        with self._lock:
            self.forget([alarm.name])
            self._watches[alarm.name] = watch
            self._look_at(watch, self._next_end(watch))

    def forget(self, names: Iterable[str]) -> None:
        with self._lock:
            for name in names:
                watch = self._watches.pop(name, None)
                if watch:
                    watch.cancel()

    def on_metric(self, series: Series, sample: Sample) -> None:
        with self._lock:
            for watch in [w for w in self._watches.values() if w.series == series]:
                running = sample.time >= floor(self.local.clock.now(), watch.period)
                if not running or watch.decided_by(sample):
                    self._look(watch)
                elif watch.handle is None:
                    self._look_at(watch, self._next_end(watch))

    def _next_end(self, watch: Watch) -> datetime:
        now = self.local.clock.now()
        return floor(now, watch.period) + timedelta(seconds=watch.period)

    def _look_at(self, watch: Watch, when: datetime) -> None:
        def look() -> None:
            watch.handle = None
            self._look(watch)

        watch.cancel()
        watch.handle = self.local.clock.call_at(when, look, f"alarm {watch.alarm.name}")

    def _look(self, watch: Watch) -> None:
        with self._lock:
            if self._watches.get(watch.alarm.name) is not watch:
                return
            now, step = self.local.clock.now(), timedelta(seconds=watch.period)
            end = floor(now, watch.period)
            start = end - watch.condition.range * step
            known = {
                begin: value
                for begin, samples in self.local.metrics.periods(
                    watch.series, start, end + step, watch.period
                )
                if (value := self._value(watch, samples)) is not None
            }
            verdict = self._verdict(watch, known, start, end)
            if verdict.state != watch.alarm.state_value:
                data = _reason_data(watch, verdict, now, start)
                change_state(self.local, watch.alarm, verdict.state, verdict.reason, data)
            # with nothing in the range, another look would find the same
            if known or self.local.metrics.between(
                watch.series, end, datetime.max.replace(tzinfo=now.tzinfo)
            ):
                self._look_at(watch, end + step)

    def _value(self, watch: Watch, samples: list[Sample]) -> float | None:
        wanted = [s for s in samples if watch.unit is None or s.unit == watch.unit]
        return statistic(wanted, watch.statistic)

    def _verdict(
        self, watch: Watch, known: dict[datetime, float], start: datetime, end: datetime
    ) -> Verdict:
        """Judge the whole periods; the running one too if nothing can undo its breach."""
        condition, step = watch.condition, timedelta(seconds=watch.period)
        begins = [start + n * step for n in range(condition.range + 1)]
        points = [Point(begin, known[begin]) if begin in known else None for begin in begins]
        running = points[-1]
        if running and condition.breaches(running.value) and is_final(condition, watch.statistic):
            early = evaluate(condition, points[1:], watch.alarm.state_value)
            if early.state == "ALARM":
                return early
        return evaluate(condition, points[:-1], watch.alarm.state_value)


def _check(watch: Watch) -> None:
    """Refuse what PutMetricAlarm refuses."""
    condition = watch.condition
    if condition.comparison not in COMPARISONS:
        raise ValidationError(f"ComparisonOperator {condition.comparison} is not supported here.")
    if condition.missing not in MISSING:
        raise ValidationError(
            f"Option {condition.missing} is not supported. Supported options for parameter "
            f"TreatMissingData are {', '.join(MISSING)}."
        )
    check_statistic(watch.statistic)
    if watch.period not in (10, 20, 30) and (watch.period < 60 or watch.period % 60):
        raise ValidationError("Period must be 10, 20, 30 or a multiple of 60")
    if not 1 <= condition.datapoints <= condition.periods:
        raise ValidationError("DatapointsToAlarm must be from 1 to EvaluationPeriods")
    if not _SHORTEST <= watch.period * condition.periods <= _LONGEST:
        raise ValidationError("EvaluationPeriods times Period must not exceed seven days")


def _check_actions(alarm: Alarm) -> None:
    for actions in (alarm.alarm_actions, alarm.ok_actions, alarm.insufficient_data_actions):
        if len(actions) > 5:
            raise ValidationError("An alarm may have 5 actions for a state at most")
        for action in actions:
            if action.split(":")[2] not in ACTION_SERVICES:
                raise ValidationError(f"Alarm {alarm.name}: action {action} is not supported here")


def _stamp(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}+0000"


def _reason_data(watch: Watch, verdict: Verdict, now: datetime, start: datetime) -> str:
    counted = verdict.counted
    return json.dumps(
        {
            "version": "1.0",
            "queryDate": _stamp(now),
            "startDate": _stamp(counted[0].start if counted else start),
            "statistic": watch.statistic,
            "period": watch.period,
            "recentDatapoints": [point.value for point in counted],
            "threshold": watch.condition.threshold,
            "evaluatedDatapoints": [
                {"timestamp": _stamp(point.start), "value": point.value}
                for point in reversed(counted)
            ],
        }
    )


def install(local: "Local") -> None:
    """Watch every alarm moto keeps."""
    alarms = Alarms(local)
    local.on_alarm = []
    local.on_metric.append(alarms.on_metric)
    moto_put = original(CloudWatchBackend, "put_metric_alarm")
    moto_delete = original(CloudWatchBackend, "delete_alarms")
    moto_set = original(CloudWatchBackend, "set_alarm_state")

    def put_metric_alarm(backend: CloudWatchBackend, name: str, **fields: Any) -> Alarm:
        before = backend.alarms.get(name)
        alarm: Alarm = moto_put(backend, name=name, **fields)
        try:
            _check_actions(alarm)
            if alarm.rule is None:
                _check(Watch(alarm))
        except Exception:
            moto_delete(backend, [name])
            if before:
                backend.alarms[name] = before
            raise
        now = local.clock.now().replace(tzinfo=None)
        alarm.configuration_updated_timestamp = now
        if before:  # a new configuration keeps the state it finds
            alarm.state_value, alarm.history = before.state_value, before.history
            alarm.state_reason, alarm.state_reason_data = (
                before.state_reason,
                before.state_reason_data,
            )
            alarm.state_updated_timestamp = before.state_updated_timestamp
        else:
            alarm.state_value, alarm.state_updated_timestamp = "INSUFFICIENT_DATA", now
        if alarm.rule is None:
            alarms.watch(alarm)
        else:
            for hook in local.on_alarm:
                hook(alarm)
        return alarm

    def delete_alarms(backend: CloudWatchBackend, alarm_names: list[str]) -> None:
        alarms.forget(alarm_names)
        moto_delete(backend, alarm_names)

    def set_alarm_state(
        backend: CloudWatchBackend,
        alarm_name: str,
        reason: str,
        reason_data: str | None,
        state_value: str,
    ) -> None:
        alarm = backend.alarms.get(alarm_name)
        if alarm is None:
            raise ResourceNotFound
        before = alarm.state_value
        moto_set(backend, alarm_name, reason, reason_data, before)  # its checks, no change
        if state_value not in ("OK", "ALARM", "INSUFFICIENT_DATA"):
            raise ValidationError(f"Value '{state_value}' at 'stateValue' is not a state")
        change_state(local, alarm, state_value, reason, reason_data or "")

    CloudWatchBackend.put_metric_alarm = put_metric_alarm
    CloudWatchBackend.delete_alarms = delete_alarms
    CloudWatchBackend.set_alarm_state = set_alarm_state
