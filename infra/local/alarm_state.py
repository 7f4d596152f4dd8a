"""An alarm changes its state: EventBridge hears of it, and its actions are done.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
"""

import json
import logging
import uuid
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.models import Alarm
from moto.sns.models import sns_backends

from .background import in_background
from .service_access import refusal

if TYPE_CHECKING:
    from .server import Local

log = logging.getLogger(__name__)

# what an alarm can act on here, and as whom it comes
ACTION_SERVICES = {
    "sns": "cloudwatch.amazonaws.com",
    "lambda": "lambda.alarms.cloudwatch.amazonaws.com",
}


def change_state(local: "Local", alarm: Alarm, state: str, reason: str, data: str) -> None:
    """Move ``alarm`` to ``state``; everything that follows happens only if that is another one.

    AWS: SetAlarmState to the present state changes the reason and triggers nothing.
    """
    now = local.clock.now()
    previous = _state(alarm)
    alarm.update_state(reason, data, state)
    alarm.state_updated_timestamp = now.replace(tzinfo=None)
    if previous["value"] == state:
        return
    log.info("alarm %s: %s -> %s: %s", alarm.name, previous["value"], state, reason)
    detail = {
        "alarmName": alarm.name,
        "configuration": _configuration(alarm),
        "previousState": previous,
        "state": _state(alarm),
    }
    local.put_event(
        {
            "source": "aws.cloudwatch",
            "detail-type": "CloudWatch Alarm State Change",
            "resources": [alarm.alarm_arn],
            "detail": detail,
        }
    )
    for hook in local.on_alarm:
        hook(alarm)
    message = json.dumps(_notification(local, alarm, detail, now))
    subject = f'{state}: "{alarm.name}" in {local.region}'[:100]
    event = {
        "source": "aws.cloudwatch",
        "alarmArn": alarm.alarm_arn,
        "accountId": local.account,
        "time": _stamp(now),
        "region": local.region,
        "alarmData": detail,
    }
    for action in _actions(alarm, state) if alarm.actions_enabled else []:
        in_background(
            local.clock,
            partial(_act, local, alarm.alarm_arn, action, subject, message, event),
            f"action of alarm {alarm.name}",
        )


def _state(alarm: Alarm) -> dict[str, Any]:
    when = alarm.state_updated_timestamp
    state = {
        "value": alarm.state_value,
        "reason": alarm.state_reason,
        "timestamp": _stamp(when),
    }
    if alarm.state_reason_data and alarm.state_reason_data != "{}":
        state["reasonData"] = alarm.state_reason_data
    return state


def _stamp(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}+0000"


def _configuration(alarm: Alarm) -> dict[str, Any]:
    described = {"description": alarm.description} if alarm.description else {}
    if alarm.rule is not None:
        return described | {
            "actionsEnabled": alarm.actions_enabled,
            "alarmRule": alarm.rule,
            "alarmActions": alarm.alarm_actions,
            "okActions": alarm.ok_actions,
            "insufficientDataActions": alarm.insufficient_data_actions,
        }
    if alarm.metric_data_queries:
        query = alarm.metric_data_queries[0]
        metric, stat = query.metric_stat.metric, query.metric_stat
        identity, dimensions = query.id, metric.dimensions
        name, namespace = metric.metric_name, metric.namespace
        period, statistic, unit = stat.period, stat.stat, stat.unit
    else:
        identity = str(uuid.uuid5(uuid.NAMESPACE_URL, alarm.alarm_arn))
        dimensions, name, namespace = alarm.dimensions, alarm.metric_name, alarm.namespace
        period, statistic = alarm.period, alarm.statistic or alarm.extended_statistic
        unit = alarm.unit
    metric_stat: dict[str, Any] = {
        "metric": {
            "namespace": namespace,
            "name": name,
            "dimensions": {d.name: d.value for d in dimensions},
        },
        "period": int(period),
        "stat": statistic,
    }
    if unit:
        metric_stat["unit"] = unit
    return described | {
        "metrics": [{"id": identity, "metricStat": metric_stat, "returnData": True}]
    }


def _actions(alarm: Alarm, state: str) -> list[str]:
    return {
        "ALARM": alarm.alarm_actions,
        "OK": alarm.ok_actions,
        "INSUFFICIENT_DATA": alarm.insufficient_data_actions,
    }[state] or []


def _act(
    local: "Local", alarm_arn: str, action: str, subject: str, message: str, event: dict[str, Any]
) -> None:
    """Do one action: a topic gets ``message``, a function gets ``event``."""
    kind = action.split(":")[2]
    service = ACTION_SERVICES[kind]
    reason = refusal(local, service, action, alarm_arn)
    if reason:
        log.error("an action of %s failed: %s", alarm_arn, reason)
    elif kind == "sns":
        topics = sns_backends[local.account][local.region]
        topics.publish(message, arn=action, subject=subject)
    else:
        local.invoke(action, json.dumps(event).encode(), asynchronous=True, caller=service)


def _notification(
    local: "Local", alarm: Alarm, detail: dict[str, Any], now: datetime
) -> dict[str, Any]:
    """The message CloudWatch publishes to a topic."""
    message: dict[str, Any] = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": local.account,
        "AlarmConfigurationUpdatedTimestamp": _stamp(alarm.configuration_updated_timestamp),
        "NewStateValue": alarm.state_value,
        "NewStateReason": alarm.state_reason,
        "StateChangeTime": _stamp(now.astimezone(UTC)),
        "Region": local.region,
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": detail["previousState"]["value"],
        "OKActions": alarm.ok_actions,
        "AlarmActions": alarm.alarm_actions,
        "InsufficientDataActions": alarm.insufficient_data_actions,
    }
    if alarm.rule is not None:
        return message | {"AlarmRule": alarm.rule}
    trigger: dict[str, Any] = {
        "Period": alarm.period,
        "EvaluationPeriods": alarm.evaluation_periods,
        "DatapointsToAlarm": alarm.datapoints_to_alarm,
        "ComparisonOperator": alarm.comparison_operator,
        "Threshold": alarm.threshold,
        "TreatMissingData": alarm.treat_missing_data or "missing",
    }
    if alarm.metric_data_queries:
        return message | {"Trigger": trigger | {"Metrics": detail["configuration"]["metrics"]}}
    return message | {
        "Trigger": trigger
        | {
            "MetricName": alarm.metric_name,
            "Namespace": alarm.namespace,
            "StatisticType": "Statistic" if alarm.statistic else "ExtendedStatistic",
            "Statistic": (alarm.statistic or alarm.extended_statistic or "").upper(),
            "Unit": alarm.unit,
            "Dimensions": [{"name": d.name, "value": d.value} for d in alarm.dimensions],
        }
    }
