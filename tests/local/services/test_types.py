"""Resource types of CloudFormation: made, changed in place, taken away."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

Resources = dict[str, dict[str, Any]]


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def deploy(aws: Any, resources: Resources, *, update: bool = False) -> dict[str, str]:
    """Create or update the stack ``s``; returns its outputs, one ``Ref`` for every resource."""
    outputs = {name: {"Value": {"Ref": name}} for name in resources}
    body = json.dumps({"Resources": resources, "Outputs": outputs})
    client = aws.client("cloudformation")
    change = client.update_stack if update else client.create_stack
    change(StackName="s", TemplateBody=body)
    stack = client.describe_stacks(StackName="s")["Stacks"][0]
    assert stack["StackStatus"] == ("UPDATE_COMPLETE" if update else "CREATE_COMPLETE")
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def delete(aws: Any) -> None:
    aws.client("cloudformation").delete_stack(StackName="s")


def test_a_rule_keeps_its_name_when_it_changes(aws: Any) -> None:
    arn = aws.function("f")
    target = {"Arn": arn, "Id": "a", "RetryPolicy": {"MaximumRetryAttempts": "2"}}
    rule = resource("AWS::Events::Rule", ScheduleExpression="rate(1 hour)", Targets=[target])
    name = deploy(aws, {"Rule": rule})["Rule"]
    rule["Properties"] |= {
        "ScheduleExpression": "rate(2 hours)",
        "Targets": [{"Arn": arn, "Id": "b", "Input": '{"x": 1}'}],
        "State": "DISABLED",
    }
    assert deploy(aws, {"Rule": rule}, update=True)["Rule"] == name
    events = aws.client("events")
    described = events.describe_rule(Name=name)
    assert (described["ScheduleExpression"], described["State"]) == ("rate(2 hours)", "DISABLED")
    assert [t["Id"] for t in events.list_targets_by_rule(Rule=name)["Targets"]] == ["b"]
    delete(aws)
    assert events.list_rules()["Rules"] == []


def test_a_bucket_with_all_it_declares(aws: Any) -> None:
    bucket = resource(
        "AWS::S3::Bucket",
        VersioningConfiguration={"Status": "Enabled"},
        BucketEncryption={
            "ServerSideEncryptionConfiguration": [
                {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
            ]
        },
        NotificationConfiguration={"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
        LifecycleConfiguration={
            "Rules": [
                {
                    "Id": "old",
                    "Status": "Enabled",
                    "Prefix": "x/",
                    "ExpirationInDays": 30,
                    "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3},
                },
                {
                    "Id": "passing",
                    "Status": "Enabled",
                    "TagFilters": [{"Key": "a", "Value": "b"}],
                    "ExpirationInDays": 14,
                },
            ]
        },
        PublicAccessBlockConfiguration={"BlockPublicAcls": True, "BlockPublicPolicy": True},
        OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        Tags=[{"Key": "model", "Value": "m"}],
    )
    deny = {
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": {"Fn::GetAtt": ["Bucket", "Arn"]},
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    document = {"Version": "2012-10-17", "Statement": [deny]}
    policy = resource("AWS::S3::BucketPolicy", Bucket={"Ref": "Bucket"}, PolicyDocument=document)
    name = deploy(aws, {"Bucket": bucket, "Policy": policy})["Bucket"]
    s3 = aws.client("s3")
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    kept = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])
    assert kept["Statement"][0]["Resource"] == f"arn:aws:s3:::{name}"
    rule, tagged = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert rule["Expiration"]["Days"] == 30
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 7
    assert tagged["Filter"] == {"Tag": {"Key": "a", "Value": "b"}}
    # the policy that wants TLS does not shut everybody out
    version = s3.put_object(Bucket=name, Key="a", Body=b"x")["VersionId"]
    assert s3.get_object(Bucket=name, Key="a", VersionId=version)["Body"].read() == b"x"
    bucket["Properties"].pop("NotificationConfiguration")
    assert deploy(aws, {"Bucket": bucket, "Policy": policy}, update=True)["Bucket"] == name
    assert s3.get_object(Bucket=name, Key="a")["Body"].read() == b"x"


def test_log_group_filter_and_policy(aws: Any) -> None:
    arn = aws.function("f")
    aws.permit(arn, "logs.amazonaws.com", "arn:aws:logs:us-east-1:123456789012:log-group:/g:*")
    resources = {
        "Group": resource("AWS::Logs::LogGroup", LogGroupName="/g", RetentionInDays=30),
        "Filter": resource(
            "AWS::Logs::SubscriptionFilter",
            LogGroupName={"Ref": "Group"},
            FilterPattern="{ $.a = 1 }",
            DestinationArn=arn,
        ),
    }
    deploy(aws, resources)
    logs = aws.client("logs")
    logs.create_log_stream(logGroupName="/g", logStreamName="kept")
    resources["Group"]["Properties"]["RetentionInDays"] = 90
    deploy(aws, resources, update=True)
    (group,) = logs.describe_log_groups()["logGroups"]
    assert group["retentionInDays"] == 90
    assert logs.describe_log_streams(logGroupName="/g")["logStreams"]
    (chosen,) = logs.describe_subscription_filters(logGroupName="/g")["subscriptionFilters"]
    assert (chosen["destinationArn"], chosen["filterPattern"]) == (arn, "{ $.a = 1 }")
    delete(aws)
    assert logs.describe_log_groups()["logGroups"] == []


def test_topic_subscription_queue_and_their_policies(aws: Any) -> None:
    open_to_all = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [open_to_all]}
    resources = {
        "Topic": resource("AWS::SNS::Topic", TopicName="t"),
        "Mail": resource(
            "AWS::SNS::Subscription",
            TopicArn={"Ref": "Topic"},
            Protocol="email",
            Endpoint="ops@example.com",
        ),
        "Queue": resource("AWS::SQS::Queue", QueueName="q", MessageRetentionPeriod=1209600),
        "TopicPolicy": resource(
            "AWS::SNS::TopicPolicy", Topics=[{"Ref": "Topic"}], PolicyDocument=document
        ),
        "QueuePolicy": resource(
            "AWS::SQS::QueuePolicy", Queues=[{"Ref": "Queue"}], PolicyDocument=document
        ),
    }
    topic = deploy(aws, resources)["Topic"]
    resources["Topic"]["Properties"]["DisplayName"] = "Alerts"
    resources["Queue"]["Properties"]["VisibilityTimeout"] = 7
    deploy(aws, resources, update=True)
    sns, sqs = aws.client("sns"), aws.client("sqs")
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert attributes["DisplayName"] == "Alerts"
    assert json.loads(attributes["Policy"]) == document
    subscriptions = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert [s["Endpoint"] for s in subscriptions] == ["ops@example.com"]
    url = sqs.get_queue_url(QueueName="q")["QueueUrl"]
    kept = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert json.loads(kept["Policy"]) == document
    assert (kept["VisibilityTimeout"], kept["MessageRetentionPeriod"]) == ("7", "1209600")
    delete(aws)
    assert sns.list_topics()["Topics"] == []
    assert sqs.list_queues().get("QueueUrls", []) == []


def test_alarm_and_dashboard(aws: Any) -> None:
    resources = {
        "Alarm": resource(
            "AWS::CloudWatch::Alarm",
            AlarmName="a",
            Metrics=[
                {
                    "Id": "m1",
                    "ReturnData": True,
                    "MetricStat": {
                        "Metric": {"Namespace": "n", "MetricName": "m"},
                        "Period": 60,
                        "Stat": "Maximum",
                    },
                }
            ],
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            Threshold=1,
            TreatMissingData="ignore",
        ),
        "Dashboard": resource(
            "AWS::CloudWatch::Dashboard", DashboardName="d", DashboardBody='{"widgets": []}'
        ),
    }
    deploy(aws, resources)
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.put_metric_data(Namespace="n", MetricData=[{"MetricName": "m", "Value": 2.0}])
    (alarm,) = cloudwatch.describe_alarms()["MetricAlarms"]
    assert alarm["StateValue"] == "ALARM"
    resources["Alarm"]["Properties"]["Threshold"] = 3
    deploy(aws, resources, update=True)
    (alarm,) = cloudwatch.describe_alarms()["MetricAlarms"]
    assert (alarm["StateValue"], alarm["Threshold"]) == ("ALARM", 3.0)
    delete(aws)
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []
    assert cloudwatch.list_dashboards()["DashboardEntries"] == []


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("AWS::S3::Bucket", {"WebsiteConfiguration": {}}),
        ("AWS::S3::Bucket", {"NotificationConfiguration": {"QueueConfigurations": []}}),
        ("AWS::Events::Rule", {"EventPattern": {"source": ["a"]}, "Flavour": 1}),
        ("AWS::Events::Rule", {"EventPattern": {"source": [{"begins": "a"}]}}),
        ("AWS::CloudWatch::Dashboard", {"DashboardBody": "no JSON"}),
        ("AWS::Logs::LogGroup", {"RetentionInDays": 31}),
    ],
)
def test_what_is_not_built_fails_the_deployment_by_name(
    aws: Any, kind: str, properties: dict[str, Any]
) -> None:
    with pytest.raises((ClientError, AssertionError)):
        deploy(aws, {"Thing": resource(kind, **properties)})
