"""Alarms and dashboards as CloudFormation declares them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-alarm.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-compositealarm.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-dashboard.html
"""

import json
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudwatch.models import (
    CloudWatchBackend,
    Dimension,
    Metric,
    MetricDataQuery,
    MetricStat,
    cloudwatch_backends,
)

from .resource_type import Made, Properties, Scope, register


def _backend(scope: Scope) -> CloudWatchBackend:
    return cloudwatch_backends[scope.account][scope.region]


def _put_alarm(scope: Scope, name: str, properties: Properties) -> Made:
    given = properties.get
    alarm = _backend(scope).put_metric_alarm(
        name=name,
        namespace=given("Namespace"),
        metric_name=given("MetricName"),
        metric_data_queries=[_query(query) for query in given("Metrics") or []] or None,
        comparison_operator=given("ComparisonOperator"),
        evaluation_periods=int(given("EvaluationPeriods", 1)),
        datapoints_to_alarm=_number(given("DatapointsToAlarm")),
        period=_number(given("Period")),
        threshold=float(given("Threshold", 0)),
        statistic=given("Statistic"),
        extended_statistic=given("ExtendedStatistic"),
        description=given("AlarmDescription"),
        dimensions=given("Dimensions", []),
        unit=given("Unit"),
        treat_missing_data=given("TreatMissingData"),
        evaluate_low_sample_count_percentile=given("EvaluateLowSampleCountPercentile"),
        threshold_metric_id=given("ThresholdMetricId"),
        tags=given("Tags"),
        **_actions(properties),
    )
    return Made(name, {"Arn": alarm.alarm_arn})


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


def _actions(properties: Properties) -> dict[str, Any]:
    enabled = properties.get("ActionsEnabled", True)
    return {
        "actions_enabled": enabled in (True, "true"),
        "alarm_actions": properties.get("AlarmActions", []),
        "ok_actions": properties.get("OKActions", []),
        "insufficient_data_actions": properties.get("InsufficientDataActions", []),
    }


def _query(query: dict[str, Any]) -> MetricDataQuery:
    stat = query.get("MetricStat")
    return MetricDataQuery(
        query_id=query["Id"],
        label=query.get("Label"),
        period=query.get("Period"),
        return_data=query.get("ReturnData", True),
        expression=query.get("Expression"),
        metric_stat=stat
        and MetricStat(
            metric=Metric(
                metric_name=stat["Metric"]["MetricName"],
                namespace=stat["Metric"]["Namespace"],
                dimensions=[
                    Dimension(d["Name"], d["Value"]) for d in stat["Metric"].get("Dimensions", [])
                ],
            ),
            period=stat["Period"],
            stat=stat["Stat"],
            unit=stat.get("Unit"),
        ),
    )


def _put_composite(scope: Scope, name: str, properties: Properties) -> Made:
    alarm = _backend(scope).put_metric_alarm(
        name=name,
        namespace="",
        metric_name="",
        comparison_operator="",
        evaluation_periods=0,
        period=0,
        threshold=0.0,
        statistic="",
        description=properties.get("AlarmDescription", ""),
        dimensions=[],
        rule=properties["AlarmRule"],
        tags=properties.get("Tags"),
        **_actions(properties),
    )
    return Made(name, {"Arn": alarm.alarm_arn})


def _remove_alarm(scope: Scope, ref: str, properties: Properties) -> None:
    _backend(scope).delete_alarms([ref])


_ACTIONS = ("ActionsEnabled", "AlarmActions", "OKActions", "InsufficientDataActions")
register(
    "AWS::CloudWatch::Alarm",
    put=_put_alarm,
    remove=_remove_alarm,
    name_property="AlarmName",
    attributes=("Arn",),
    known=(
        *_ACTIONS,
        "AlarmDescription",
        "AlarmName",
        "ComparisonOperator",
        "DatapointsToAlarm",
        "Dimensions",
        "EvaluateLowSampleCountPercentile",
        "EvaluationPeriods",
        "ExtendedStatistic",
        "MetricName",
        "Metrics",
        "Namespace",
        "Period",
        "Statistic",
        "Tags",
        "Threshold",
        "ThresholdMetricId",
        "TreatMissingData",
        "Unit",
    ),
)
register(
    "AWS::CloudWatch::CompositeAlarm",
    put=_put_composite,
    remove=_remove_alarm,
    name_property="AlarmName",
    attributes=("Arn",),
    known=(*_ACTIONS, "AlarmDescription", "AlarmName", "AlarmRule", "Tags"),
)


def _put_dashboard(scope: Scope, name: str, properties: Properties) -> Made:
    body = properties["DashboardBody"]
    try:
        widgets = json.loads(body)["widgets"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValidationError(message=f"Dashboard {name}: the body is no dashboard") from error
    if not isinstance(widgets, list):
        raise ValidationError(message=f"Dashboard {name}: widgets must be a list")
    _backend(scope).put_dashboard(name=name, body=body)
    return Made(name)


def _remove_dashboard(scope: Scope, ref: str, properties: Properties) -> None:
    _backend(scope).delete_dashboards([ref])


register(
    "AWS::CloudWatch::Dashboard",
    put=_put_dashboard,
    remove=_remove_dashboard,
    name_property="DashboardName",
    known=("DashboardName", "DashboardBody", "Tags"),
)
