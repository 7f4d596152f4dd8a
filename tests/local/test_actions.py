"""What boto3 sends, mapped to the permissions it needs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

from infra.local.action import Action, Wire
from infra.local.actions import actions_of

ACCOUNT, REGION = "123456789012", "us-east-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/registry"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"


@dataclass
class World:
    encrypted: tuple[str, ...] = ()
    region: str = REGION
    account: str = ACCOUNT
    keys: dict[str, str] = field(default_factory=lambda: {"registry": "pk"})

    def partition_key(self, table: str) -> str | None:
        return self.keys.get(table)

    def key_of(self, arn: str) -> str | None:
        return KEY if arn.startswith(self.encrypted) and self.encrypted else None


class Sent(Exception):
    """Stops boto3 at the moment it would send; holds what."""

    def __init__(self, request: Any) -> None:
        self.request = request


def wire(
    service: str, call: Callable[[Any], object], endpoint: str = "http://127.0.0.1:4566"
) -> Wire:
    client = boto3.client(
        service,
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )

    def stop(request: Any, **_: object) -> None:
        raise Sent(request)

    client.meta.events.register("before-send", stop)
    with pytest.raises(Sent) as caught:
        call(client)
    request = caught.value.request
    url = urlsplit(request.url)
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
    headers.setdefault("host", url.netloc)
    body = request.body or b""
    body = (
        body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else body.read()
    )
    scope = headers["authorization"].split("Credential=")[1].split("/")[3]
    return Wire(scope, request.method, url.path, url.query, headers, body)


def needs(
    service: str, call: Callable[[Any], object], world: World | None = None, status: int = 200
) -> list[tuple[str, str, dict[str, Any]]]:
    found = actions_of(wire(service, call), world or World(), status)
    assert all(isinstance(action, Action) for action in found)
    return [(a.name, a.resource, dict(a.context)) for a in found]


BUCKET, OBJECT = "arn:aws:s3:::store", "arn:aws:s3:::store/flights/a b.json"
PLACE = {"Bucket": "store", "Key": "flights/a b.json"}


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda s3: s3.get_object(**PLACE), [("s3:GetObject", OBJECT, {})]),
        (
            lambda s3: s3.get_object(**PLACE, VersionId="v1"),
            [("s3:GetObjectVersion", OBJECT, {"s3:VersionId": "v1"})],
        ),
        (lambda s3: s3.head_object(**PLACE), [("s3:GetObject", OBJECT, {})]),
        (lambda s3: s3.put_object(**PLACE, Body=b"x"), [("s3:PutObject", OBJECT, {})]),
        (
            lambda s3: s3.put_object(**PLACE, Body=b"x", Tagging="a=b"),
            [("s3:PutObject", OBJECT, {}), ("s3:PutObjectTagging", OBJECT, {})],
        ),
        (
            lambda s3: s3.put_object(**PLACE, Body=b"x", IfMatch="e"),
            [("s3:PutObject", OBJECT, {}), ("s3:GetObject", OBJECT, {})],
        ),
        (lambda s3: s3.delete_object(**PLACE), [("s3:DeleteObject", OBJECT, {})]),
        (
            lambda s3: s3.delete_objects(
                Bucket="store", Delete={"Objects": [{"Key": "a"}, {"Key": "b", "VersionId": "v"}]}
            ),
            [
                ("s3:DeleteObject", f"{BUCKET}/a", {}),
                ("s3:DeleteObjectVersion", f"{BUCKET}/b", {}),
            ],
        ),
        (
            lambda s3: s3.list_objects_v2(Bucket="store", Prefix="flights/", Delimiter="/"),
            [("s3:ListBucket", BUCKET, {"s3:prefix": "flights/", "s3:delimiter": "/"})],
        ),
        (
            lambda s3: s3.list_object_versions(Bucket="store", Prefix="f"),
            [("s3:ListBucketVersions", BUCKET, {"s3:prefix": "f"})],
        ),
        (lambda s3: s3.head_bucket(Bucket="store"), [("s3:ListBucket", BUCKET, {})]),
        (lambda s3: s3.list_buckets(), [("s3:ListAllMyBuckets", "*", {})]),
        (lambda s3: s3.get_object_tagging(**PLACE), [("s3:GetObjectTagging", OBJECT, {})]),
        (
            lambda s3: s3.get_object_tagging(**PLACE, VersionId="v"),
            [("s3:GetObjectVersionTagging", OBJECT, {"s3:VersionId": "v"})],
        ),
        (lambda s3: s3.create_multipart_upload(**PLACE), [("s3:PutObject", OBJECT, {})]),
        (
            lambda s3: s3.abort_multipart_upload(**PLACE, UploadId="u"),
            [("s3:AbortMultipartUpload", OBJECT, {})],
        ),
        (
            lambda s3: s3.copy_object(
                **PLACE, CopySource={"Bucket": "landing", "Key": "x", "VersionId": "v"}
            ),
            [
                ("s3:PutObject", OBJECT, {}),
                ("s3:GetObjectVersion", "arn:aws:s3:::landing/x", {}),
            ],
        ),
        (lambda s3: s3.get_bucket_policy(Bucket="store"), [("s3:GetBucketPolicy", BUCKET, {})]),
        (
            lambda s3: s3.put_public_access_block(
                Bucket="store", PublicAccessBlockConfiguration={}
            ),
            [("s3:PutBucketPublicAccessBlock", BUCKET, {})],
        ),
    ],
)
def test_s3(call: Callable[[Any], object], expected: list[object]) -> None:
    assert needs("s3", call) == expected


@pytest.mark.parametrize("host", ["store.localhost:4566", "store.s3.us-east-1.amazonaws.com"])
def test_s3_by_virtual_host(host: str) -> None:
    sent = Wire("s3", "GET", "/flights/a%20b.json", "", {"host": host}, b"")
    assert actions_of(sent, World()) == [Action("s3:GetObject", OBJECT)]


def test_a_missing_object_asks_for_list_bucket() -> None:
    found = needs("s3", lambda s3: s3.get_object(**PLACE), status=404)
    assert found[-1] == ("s3:ListBucket", BUCKET, {})


def test_an_encrypted_bucket_asks_for_its_key_in_the_caller_s_name() -> None:
    world = World(encrypted=(BUCKET,))
    context = {
        "kms:ViaService": "s3.us-east-1.amazonaws.com",
        "kms:CallerAccount": ACCOUNT,
        "kms:EncryptionContext:aws:s3:arn": BUCKET,
    }
    read = needs("s3", lambda s3: s3.get_object(**PLACE), world)
    assert read[1:] == [("kms:Decrypt", KEY, context)]
    write = needs("s3", lambda s3: s3.put_object(**PLACE, Body=b""), world)
    assert write[1:] == [("kms:GenerateDataKey", KEY, context)]
    parts = needs("s3", lambda s3: s3.create_multipart_upload(**PLACE), world)
    assert [name for name, *_ in parts] == ["s3:PutObject", "kms:GenerateDataKey", "kms:Decrypt"]


ROW = {"pk": {"S": "MODEL#flights"}, "sk": {"S": "ROUTE"}}
LEADING = {"dynamodb:LeadingKeys": ["MODEL#flights"]}


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (
            lambda db: db.get_item(TableName="registry", Key=ROW),
            [("dynamodb:GetItem", TABLE, LEADING)],
        ),
        (
            lambda db: db.put_item(TableName="registry", Item=ROW, ReturnValues="ALL_OLD"),
            [("dynamodb:PutItem", TABLE, {**LEADING, "dynamodb:ReturnValues": "ALL_OLD"})],
        ),
        (
            lambda db: db.query(
                TableName="registry",
                KeyConditionExpression="#p = :p AND begins_with(sk, :s)",
                ExpressionAttributeNames={"#p": "pk"},
                ExpressionAttributeValues={":p": {"S": "MODEL#flights"}, ":s": {"S": "RUN#"}},
            ),
            [("dynamodb:Query", TABLE, LEADING)],
        ),
        (lambda db: db.scan(TableName="registry"), [("dynamodb:Scan", TABLE, {})]),
        (
            lambda db: db.batch_get_item(
                RequestItems={"registry": {"Keys": [ROW, {**ROW, "pk": {"S": "MODEL#b"}}]}}
            ),
            [
                (
                    "dynamodb:BatchGetItem",
                    TABLE,
                    {"dynamodb:LeadingKeys": ["MODEL#b", "MODEL#flights"]},
                )
            ],
        ),
        (
            lambda db: db.batch_write_item(
                RequestItems={"registry": [{"PutRequest": {"Item": ROW}}]}
            ),
            [("dynamodb:BatchWriteItem", TABLE, LEADING)],
        ),
        (
            lambda db: db.transact_write_items(
                TransactItems=[
                    {"Put": {"TableName": "registry", "Item": ROW}},
                    {
                        "Update": {
                            "TableName": "registry",
                            "Key": ROW,
                            "UpdateExpression": "SET a = :a",
                        }
                    },
                    {
                        "ConditionCheck": {
                            "TableName": "registry",
                            "Key": ROW,
                            "ConditionExpression": "attribute_exists(pk)",
                        }
                    },
                ]
            ),
            [
                ("dynamodb:PutItem", TABLE, LEADING),
                ("dynamodb:UpdateItem", TABLE, LEADING),
                ("dynamodb:ConditionCheckItem", TABLE, LEADING),
            ],
        ),
        (
            lambda db: db.describe_table(TableName="registry"),
            [("dynamodb:DescribeTable", TABLE, {})],
        ),
        (lambda db: db.list_tables(), [("dynamodb:ListTables", "*", {})]),
    ],
)
def test_dynamodb(call: Callable[[Any], object], expected: list[object]) -> None:
    assert needs("dynamodb", call) == expected


def test_an_encrypted_table_asks_for_decrypt_once() -> None:
    found = needs(
        "dynamodb",
        lambda db: db.transact_get_items(
            TransactItems=[{"Get": {"TableName": "registry", "Key": ROW}}] * 2
        ),
        World(encrypted=(TABLE,)),
    )
    assert [name for name, *_ in found] == ["dynamodb:GetItem", "dynamodb:GetItem", "kms:Decrypt"]
    assert found[-1][2]["kms:ViaService"] == "dynamodb.us-east-1.amazonaws.com"


def arn(service: str, rest: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"


MACHINE = arn("states", "stateMachine:loop")
QUEUE = f"http://127.0.0.1:4566/{ACCOUNT}/dead"


@pytest.mark.parametrize(
    ("service", "call", "expected"),
    [
        (
            "lambda",
            lambda c: c.invoke(FunctionName="f", Qualifier="live", Payload=b""),
            [("lambda:InvokeFunction", arn("lambda", "function:f:live"), {})],
        ),
        (
            "lambda",
            lambda c: c.invoke(FunctionName=arn("lambda", "function:f:3")),
            [("lambda:InvokeFunction", arn("lambda", "function:f:3"), {})],
        ),
        (
            "stepfunctions",
            lambda c: c.start_execution(stateMachineArn=MACHINE, name="n", input="{}"),
            [("states:StartExecution", MACHINE, {})],
        ),
        (
            "stepfunctions",
            lambda c: c.describe_execution(executionArn=arn("states", "execution:loop:n")),
            [("states:DescribeExecution", arn("states", "execution:loop:n"), {})],
        ),
        (
            "sqs",
            lambda c: c.send_message_batch(
                QueueUrl=QUEUE, Entries=[{"Id": "1", "MessageBody": "b"}]
            ),
            [("sqs:SendMessage", arn("sqs", "dead"), {})],
        ),
        (
            "events",
            lambda c: c.put_events(
                Entries=[{"Source": "driftloop", "DetailType": "Run Requested"}]
            ),
            [
                (
                    "events:PutEvents",
                    arn("events", "event-bus/default"),
                    {"events:source": "driftloop", "events:detail-type": "Run Requested"},
                )
            ],
        ),
        (
            "events",
            lambda c: c.put_rule(Name="r"),
            [("events:PutRule", arn("events", "rule/r"), {})],
        ),
        (
            "logs",
            lambda c: c.put_log_events(
                logGroupName="/g", logStreamName="s", logEvents=[{"timestamp": 1, "message": "m"}]
            ),
            [("logs:PutLogEvents", arn("logs", "log-group:/g:log-stream:s"), {})],
        ),
        (
            "kms",
            lambda c: c.generate_data_key(KeyId="k", KeySpec="AES_256"),
            [("kms:GenerateDataKey", KEY, {"kms:CallerAccount": ACCOUNT})],
        ),
        (
            "sagemaker",
            lambda c: c.create_training_job(
                TrainingJobName="Flights-1",
                AlgorithmSpecification={"TrainingInputMode": "File"},
                RoleArn=f"arn:aws:iam::{ACCOUNT}:role/job",
                OutputDataConfig={"S3OutputPath": "s3://store/x"},
                ResourceConfig={"InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
                StoppingCondition={},
            ),
            [
                ("sagemaker:CreateTrainingJob", arn("sagemaker", "training-job/flights-1"), {}),
                (
                    "iam:PassRole",
                    f"arn:aws:iam::{ACCOUNT}:role/job",
                    {"iam:PassedToService": "sagemaker.amazonaws.com"},
                ),
            ],
        ),
        ("sts", lambda c: c.get_caller_identity(), []),
        (
            "ssm",
            lambda c: c.get_parameter(Name="/a/b"),
            [("ssm:GetParameter", arn("ssm", "parameter/a/b"), {})],
        ),
        ("cloudformation", lambda c: c.list_stacks(), [("cloudformation:ListStacks", "*", {})]),
        (
            "cloudwatch",
            lambda c: c.describe_alarms(),
            [("cloudwatch:DescribeAlarms", "*", {})],
        ),
    ],
)
def test_other_services(
    service: str, call: Callable[[Any], object], expected: list[object]
) -> None:
    assert needs(service, call) == expected


def test_an_encrypted_topic_and_queue_ask_for_their_key() -> None:
    world = World(encrypted=(TOPIC, arn("sqs", "dead")))
    topic = needs("sns", lambda c: c.publish(TopicArn=TOPIC, Message="m"), world)
    assert [name for name, *_ in topic] == ["sns:Publish", "kms:GenerateDataKey", "kms:Decrypt"]
    queue = needs("sqs", lambda c: c.receive_message(QueueUrl=QUEUE), world)
    assert [name for name, *_ in queue] == ["sqs:ReceiveMessage", "kms:Decrypt"]


@pytest.mark.parametrize("service", ["s3", "dynamodb", "sqs", "sns", "lambda", "events", "rds"])
@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b'{"TransactItems":[{"X":{}}]}'])
def test_a_malformed_request_is_mapped_too(service: str, body: bytes) -> None:
    """The service refuses it; the record must not fall over it before."""
    target = {"x-amz-target": "X.TransactWriteItems", "host": "h"}
    for query in ("", "delete", "uploads"):
        actions_of(Wire(service, "POST", "/a/b", query, target, body), World(), 400)
        actions_of(Wire(service, "POST", "/a", query, {"host": "h"}, body), World(), 400)
