"""The stack that keeps data and the one HTTPS address: every model's stack stands beside it."""

from __future__ import annotations

from typing import Any

from aws_cdk import Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from driftloop import keys
from infra.function import Function, removal
from infra.layers import Layers
from infra.serving import Api
from infra.settings import Settings
from infra.shared import Shared
from infra.stages import QUERY


class Platform(Stack):
    """Key, buckets, registry, topic, API and the query function."""

    def __init__(self, scope: Construct, settings: Settings, **stack: Any) -> None:
        super().__init__(scope, f"driftloop-{settings.name}-platform", **stack)
        self._settings = settings
        key = self._key()
        landing = self._bucket("Landing", key, expire_days=365)
        store = self._bucket("Store", key)
        table = self._registry(key)
        topic = self._topic(key)
        api = Api(self, "Api", settings, key.key_arn)
        shared = Shared(
            landing=landing.bucket_name, store=store.bucket_name, table=table.table_name,
            api_id=api.api_id, api_url=api.url, topic_arn=topic.topic_arn, key_arn=key.key_arn,
            authorizer_id=api.authorizer_id,
        )  # fmt: skip
        layers = Layers(self, "Layers", settings.environment, spec=None)
        query = Function(
            self, QUERY, settings=settings, shared=shared, layers=layers,
            environment=api.described(),
        )  # fmt: skip
        api.answer_queries(query)
        shared.export(self, settings.name)

    def _key(self) -> kms.Key:
        key = kms.Key(
            self, "Key", alias=f"driftloop-{self._settings.name}", enable_key_rotation=True,
            description=f"driftloop-{self._settings.name}: data, registry, logs and messages",
            removal_policy=removal(self._settings),
        )  # fmt: skip
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ThroughAlarms",  # which tell an encrypted topic
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],  # in a key policy, the key itself
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        groups = f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:*"
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ThroughLogs",
                principals=[iam.ServicePrincipal(f"logs.{Aws.REGION}.amazonaws.com")],
                actions=[
                    "kms:Decrypt",
                    "kms:DescribeKey",
                    "kms:Encrypt",
                    "kms:GenerateDataKey",
                    "kms:GenerateDataKeyWithoutPlaintext",
                    "kms:ReEncryptFrom",
                    "kms:ReEncryptTo",
                ],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
            )
        )
        return key

    def _bucket(self, name: str, key: kms.Key, expire_days: int | None = None) -> s3.Bucket:
        bucket = s3.Bucket(
            self, name, encryption=s3.BucketEncryption.KMS, encryption_key=key,
            bucket_key_enabled=True, versioned=True, enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=removal(self._settings),
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="tidy",
                    abort_incomplete_multipart_upload_after=Duration.days(3),
                    noncurrent_version_expiration=Duration.days(90),
                    expiration=Duration.days(expire_days) if expire_days else None,
                ),
                s3.LifecycleRule(
                    id="forget", tag_filters={"driftloop": "passing"}, expiration=Duration.days(14)
                ),
            ],
        )  # fmt: skip
        resource = bucket.node.default_child
        assert isinstance(resource, s3.CfnBucket)
        # The L2's own switch would bring a custom resource and its Lambda.
        resource.add_property_override(
            "NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled", True
        )
        return bucket

    def _registry(self, key: kms.Key) -> dynamodb.Table:
        text = dynamodb.AttributeType.STRING
        keep = self._settings.environment.removal == "retain"
        table = dynamodb.Table(
            self, "Registry",
            partition_key=dynamodb.Attribute(name="pk", type=text),
            sort_key=dynamodb.Attribute(name="sk", type=text),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED, encryption_key=key,
            time_to_live_attribute="expires",  # answers kept for messages that come twice
            deletion_protection=keep,
            # Not KEEP: a roll-back could not delete what is protected, and would stop there.
            removal_policy=RemovalPolicy.RETAIN if keep else RemovalPolicy.DESTROY,
        )  # fmt: skip
        table.add_global_secondary_index(
            index_name=keys.ROUTES,
            partition_key=dynamodb.Attribute(name="listed", type=text),
            sort_key=dynamodb.Attribute(name="pk", type=text),
        )
        return table

    def _topic(self, key: kms.Key) -> sns.Topic:
        topic = sns.Topic(
            self, "Topic", topic_name=f"driftloop-{self._settings.name}",
            display_name=f"driftloop {self._settings.name}", master_key=key, enforce_ssl=True,
        )  # fmt: skip
        # A topic policy of one's own replaces the default one, which let the account's alarms in.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        if email := self._settings.environment.alarm_email:
            topic.add_subscription(subscriptions.EmailSubscription(email))
        return topic
