"""Law 9: nobody gets in, and nobody inside may do more than its work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.serving import PUBLIC
from tests.conftest import FLIGHTS, Assembly, Synth

# Actions that AWS gives no resource to. (For a key policy, "*" is the key itself.)
NO_RESOURCE = {
    "xray:PutTraceSegments": "traces belong to the account",
    "xray:PutTelemetryRecords": "traces belong to the account",
    "xray:GetSamplingRules": "rules belong to the account",
    "xray:GetSamplingTargets": "rules belong to the account",
    "logs:CreateLogDelivery": "a delivery has no ARN; Step Functions makes one for its logs",
    "logs:GetLogDelivery": "as above",
    "logs:UpdateLogDelivery": "as above",
    "logs:DeleteLogDelivery": "as above",
    "logs:ListLogDeliveries": "as above",
    "logs:PutResourcePolicy": "lets the delivery service write to our group",
    "logs:DescribeResourcePolicies": "as above",
    "logs:DescribeLogGroups": "as above",
    "ecr:GetAuthorizationToken": "a token is the registry's, not a repository's",
    "cloudwatch:PutMetricData": "metrics have no ARN; narrowed by their namespace",
    "cloudwatch:GetMetricData": "metrics have no ARN",
    "cloudwatch:DescribeAlarms": "a call that may meet composite alarms cannot be narrowed",
}


@pytest.fixture(scope="session")
def sagemaker(synth: Synth, tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    spec = tmp_path_factory.mktemp("specs") / "flights.yaml"
    spec.write_text(FLIGHTS.read_text().replace("compute: lambda", "compute: sagemaker"))
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/driftloop:1"
    return synth(models=str(spec), environments={"dev": {"sagemaker": {"image": image}}})


@pytest.fixture(params=["lambda", "sagemaker"])
def either(request: pytest.FixtureRequest, assembly: Assembly, sagemaker: Assembly) -> Assembly:
    return assembly if request.param == "lambda" else sagemaker


def statements(assembly: Assembly) -> Iterator[tuple[str, dict[str, Any]]]:
    """Statements of roles and policies; key and resource policies are judged apart."""
    for stack in assembly.stacks():
        for name, policy in assembly.resources(stack, "AWS::IAM::Policy").items():
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                yield name, statement
        for name, role in assembly.resources(stack, "AWS::IAM::Role").items():
            assert "ManagedPolicyArns" not in role["Properties"], name
            assert "Policies" not in role["Properties"], name


def listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_law_9_no_role_has_a_wildcard_action(either: Assembly) -> None:
    for name, statement in statements(either):
        for action in listed(statement["Action"]):
            assert "*" not in action, f"{name} allows {action}"


def test_law_9_a_wildcard_resource_is_only_for_what_has_no_resource(either: Assembly) -> None:
    for name, statement in statements(either):
        if "*" in listed(statement["Resource"]):
            unexplained = set(listed(statement["Action"])) - set(NO_RESOURCE)
            assert not unexplained, f"{name} allows {unexplained} on everything"


def test_law_9_a_models_roles_see_only_its_prefixes_and_keys(either: Assembly) -> None:
    for name, statement in statements(either):
        actions = listed(statement["Action"])
        if name.startswith("Query"):  # tells about every model, and writes nothing
            assert not [a for a in actions if "Put" in a and not a.startswith(("xray:", "logs:"))]
            continue
        if any(a.startswith("dynamodb:") for a in actions):
            keys = statement["Condition"]["ForAllValues:StringEquals"]["dynamodb:LeadingKeys"]
            assert listed(keys) in (["MODEL#flights"], ["DATA#flights"], ["WATCH#flights"]), name
        if {"s3:ListBucket", "s3:ListBucketVersions"} & set(actions):
            prefixes = listed(statement["Condition"]["StringLike"]["s3:prefix"])
            assert all(p.startswith(("flights/", "incoming/flights/")) for p in prefixes), name
        elif any(a.startswith("s3:") for a in actions):
            for resource in listed(statement["Resource"]):
                path = resource["Fn::Join"][1][-1]
                assert path.startswith(
                    ("/flights/", "/incoming/flights/", "/labels/flights/", "/batch/flights/")
                )


def test_law_9_who_takes_in_or_watches_writes_none_of_the_models_own_items(
    either: Assembly,
) -> None:
    """Above all not the route: each has the items it tells things by."""
    own = {
        "Ingest": ["DATA#flights"],
        "Labels": ["DATA#flights"],
        "Monitor": ["DATA#flights", "WATCH#flights"],
    }
    written: dict[str, list[str]] = {}
    for name, statement in statements(either):
        if {"dynamodb:PutItem", "dynamodb:UpdateItem"} & {*listed(statement["Action"])}:
            keys = statement["Condition"].get("ForAllValues:StringEquals", {})
            for stage in (stage for stage in own if name.startswith(stage)):
                written.setdefault(stage, []).extend(listed(keys["dynamodb:LeadingKeys"]))
    assert {stage: sorted(pks) for stage, pks in written.items()} == own


def test_law_9_only_sagemaker_is_passed_a_role_and_only_its_own(sagemaker: Assembly) -> None:
    passed = [s for _, s in statements(sagemaker) if "iam:PassRole" in listed(s["Action"])]
    (statement,) = passed
    assert statement["Action"] == "iam:PassRole"
    assert statement["Resource"]["Fn::GetAtt"][0].startswith("WorkflowTrainingRole")
    assert statement["Condition"] == {
        "StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}
    }


def test_the_machine_may_do_with_jobs_what_step_functions_asks_for(sagemaker: Assembly) -> None:
    """https://docs.aws.amazon.com/step-functions/latest/dg/sagemaker-iam.html"""
    granted = {a for n, s in statements(sagemaker) if n.startswith("WorkflowRole")
               for a in listed(s["Action"])}  # fmt: skip
    jobs = {"CreateTrainingJob", "DescribeTrainingJob", "StopTrainingJob", "ListTags", "AddTags"}
    assert {f"sagemaker:{action}" for action in jobs} <= granted
    assert {"events:PutTargets", "events:PutRule", "events:DescribeRule"} <= granted


def test_law_9_every_function_has_a_role_of_its_own(assembly: Assembly) -> None:
    for stack in assembly.stacks():
        functions = assembly.resources(stack, "AWS::Lambda::Function").values()
        roles = [json.dumps(f["Properties"]["Role"]) for f in functions]
        assert len(set(roles)) == len(roles)


def test_law_9_roles_are_assumed_by_one_service_each(either: Assembly) -> None:
    for stack in either.stacks():
        for name, role in either.resources(stack, "AWS::IAM::Role").items():
            (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            assert statement["Principal"].keys() == {"Service"}, name
            assert statement["Principal"]["Service"].endswith(".amazonaws.com"), name


def routes(assembly: Assembly) -> dict[str, str]:
    found = {}
    for stack in assembly.stacks():
        for route in assembly.resources(stack, "AWS::ApiGatewayV2::Route").values():
            properties = route["Properties"]
            found[properties["RouteKey"]] = properties["AuthorizationType"]
    return found


def test_law_9_every_route_has_an_authoriser_but_the_listed_public_ones(
    assembly: Assembly,
) -> None:
    public = [
        "GET /health", "GET /docs", "GET /openapi.json", "GET /models/{model}/openapi.json",
    ]  # fmt: skip
    assert [route for opened in PUBLIC.values() for route in opened] == public
    for route, authorization in routes(assembly).items():  # dev opens all that can be
        assert authorization == ("NONE" if route in public else "AWS_IAM"), route


def test_law_9_only_health_is_open_by_default_and_not_even_that_in_prod(synth: Synth) -> None:
    found = routes(synth(environments={"dev": {}}))
    assert [route for route, by in found.items() if by == "NONE"] == ["GET /health"]
    assert set(routes(synth(env="prod")).values()) == {"AWS_IAM"}


def test_law_9_what_browsers_ask_before_they_call_is_open_where_pages_may_call(
    synth: Synth,
) -> None:
    cors = {"origins": ["https://shop.example.com"]}
    found = synth(environments={"dev": {"public": [], "cors": cors}})
    open_ = [route for route, by in routes(found).items() if by == "NONE"]
    assert open_ == ["OPTIONS /{proxy+}"]
    (api,) = found.resources("platform", "AWS::ApiGatewayV2::Api").values()
    assert api["Properties"]["CorsConfiguration"] == {
        "AllowOrigins": ["https://shop.example.com"],
        "AllowMethods": ["GET", "POST"],
        "AllowHeaders": ["authorization", "content-type"],
        "ExposeHeaders": ["retry-after", "x-driftloop-stale", "x-driftloop-version"],
        "MaxAge": 600,
    }


def test_law_9_a_jwt_guards_every_route_of_every_stack(synth: Synth) -> None:
    jwt = {"jwt": {"issuer": "https://id.example.com/", "audience": ["driftloop"]}}
    guarded = synth(environments={"dev": {"authorizer": jwt, "public": []}})
    assert set(routes(guarded).values()) == {"JWT"}
    for stack in guarded.stacks():
        for route in guarded.resources(stack, "AWS::ApiGatewayV2::Route").values():
            assert "AuthorizerId" in route["Properties"]
    (authorizer,) = guarded.resources("platform", "AWS::ApiGatewayV2::Authorizer").values()
    assert authorizer["Properties"]["JwtConfiguration"] == {
        "Audience": ["driftloop"], "Issuer": "https://id.example.com/",
    }  # fmt: skip


def test_law_9_an_open_api_must_be_spelled_out(synth: Synth) -> None:
    assert "AWS_IAM" in routes(synth(environments={"dev": {}})).values()
    assert set(routes(synth(environments={"dev": {"authorizer": "none"}})).values()) == {"NONE"}


def test_law_9_only_its_api_and_rules_may_invoke_a_function(assembly: Assembly) -> None:
    for stack in assembly.stacks():
        for name, permission in assembly.resources(stack, "AWS::Lambda::Permission").items():
            assert permission["Properties"].get("SourceArn"), name
            assert permission["Properties"]["Principal"] != "*", name


def test_law_9_buckets_are_private_encrypted_versioned_and_speak_tls_only(
    assembly: Assembly,
) -> None:
    buckets = assembly.resources("platform", "AWS::S3::Bucket")
    assert len(buckets) == 2
    guarded = {
        policy["Properties"]["Bucket"]["Ref"]
        for policy in assembly.resources("platform", "AWS::S3::BucketPolicy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }
    assert guarded == set(buckets)
    for bucket in buckets.values():
        properties = bucket["Properties"]
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
        (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
        events = properties["NotificationConfiguration"]["EventBridgeConfiguration"]
        assert events == {"EventBridgeEnabled": True}


def test_law_9_the_key_serves_others_only_for_this_account(assembly: Assembly) -> None:
    (key,) = assembly.resources("platform", "AWS::KMS::Key").values()
    assert key["Properties"]["EnableKeyRotation"] is True
    for statement in key["Properties"]["KeyPolicy"]["Statement"]:
        if "Service" in statement["Principal"]:
            assert statement["Condition"], statement["Sid"]
            assert all("*" not in action for action in listed(statement["Action"]))


def test_law_9_the_key_serves_alarms_and_logs_and_nobody_else(assembly: Assembly) -> None:
    """No rule tells the topic, and EventBridge would not meet a condition on the account."""
    (key,) = assembly.resources("platform", "AWS::KMS::Key").values()
    sids = [s.get("Sid") for s in key["Properties"]["KeyPolicy"]["Statement"]]
    assert sids == [None, "ThroughAlarms", "ThroughLogs"]
