"""Stacks that are updated, fail, import from one another, and go."""

import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local import change_sets, lambda_types, stack_update, stacks

BUCKET = "code"


@pytest.fixture
def formation(aws: Any) -> Any:
    assert lambda_types
    stack_update.install(aws)
    stacks.install(aws)
    change_sets.install(aws)
    aws.client("s3").create_bucket(Bucket=BUCKET)
    return aws.client("cloudformation")


def code(aws: Any, text: str) -> dict[str, str]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("handler.py", text)
    key = f"{hash(text)}.zip"
    aws.client("s3").put_object(Bucket=BUCKET, Key=key, Body=packed.getvalue())
    return {"S3Bucket": BUCKET, "S3Key": key}


def function(aws: Any, text: str, version: str, layer: str = "one") -> dict[str, Any]:
    """As CDK writes it: a version's logical id changes with what it freezes, a layer's does not."""
    return {
        "Live": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "FunctionVersion": {"Fn::GetAtt": [version, "Version"]},
                "Name": "live",
            },
        },
        version: {
            "Type": "AWS::Lambda::Version",
            "Properties": {"FunctionName": {"Ref": "Function"}},
            "DeletionPolicy": "Retain",
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": "f",
                "Runtime": "python3.13",
                "Handler": "handler.handler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": code(aws, text),
                "Layers": [{"Ref": "Layer"}],
            },
            "DependsOn": ["Role"],
        },
        "Layer": {
            "Type": "AWS::Lambda::LayerVersion",
            "Properties": {"Content": code(aws, layer)},
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
        },
    }


def template(resources: dict[str, Any], **more: Any) -> str:
    return json.dumps({"Resources": resources, **more})


def topic(name: str) -> dict[str, Any]:
    return {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}}


def live(aws: Any) -> dict[str, Any]:
    return dict(aws.client("lambda").get_function(FunctionName="f", Qualifier="live"))


def test_a_version_is_published_from_the_code_the_update_brings(aws: Any, formation: Any) -> None:
    formation.create_stack(StackName="s", TemplateBody=template(function(aws, "a", "VersionA")))
    first = live(aws)["Configuration"]
    formation.update_stack(StackName="s", TemplateBody=template(function(aws, "b", "VersionB")))
    second = live(aws)["Configuration"]
    assert (first["Version"], second["Version"]) == ("1", "2")
    assert first["CodeSha256"] != second["CodeSha256"]
    kept = aws.client("lambda").get_function(FunctionName="f", Qualifier="1")["Configuration"]
    assert kept["CodeSha256"] == first["CodeSha256"]


def test_a_new_layer_reaches_the_functions_that_refer_to_it(aws: Any, formation: Any) -> None:
    formation.create_stack(StackName="s", TemplateBody=template(function(aws, "a", "V1")))
    before = live(aws)["Configuration"]["Layers"]
    formation.update_stack(
        StackName="s", TemplateBody=template(function(aws, "a", "V2", layer="two"))
    )
    assert live(aws)["Configuration"]["Layers"] != before


def topics(aws: Any) -> set[str]:
    return {t["TopicArn"].rpartition(":")[2] for t in aws.client("sns").list_topics()["Topics"]}


@pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
def test_what_the_template_no_longer_has_goes_and_what_is_retained_stays(
    aws: Any, formation: Any, policy: str
) -> None:
    kept = {**topic("kept"), "DeletionPolicy": policy}
    formation.create_stack(
        StackName="s",
        TemplateBody=template({"A": topic("a"), "B": topic("b"), "C": kept}),
    )
    formation.update_stack(StackName="s", TemplateBody=template({"A": topic("a")}))
    assert topics(aws) == {"a", "kept"}


@pytest.mark.parametrize(
    ("policy", "left"), [("Retain", {"kept"}), ("RetainExceptOnCreate", set())]
)
def test_what_a_failed_update_made_stays_only_when_retained_whatever_happens(
    aws: Any, formation: Any, policy: str, left: set[str]
) -> None:
    formation.create_stack(StackName="s", TemplateBody=template({"A": topic("a")}))
    bad = {**topic("x"), "Type": "AWS::No::Such", "DependsOn": ["C"]}
    kept = {**topic("kept"), "DeletionPolicy": policy}
    with pytest.raises(Exception, match="No::Such"):
        formation.update_stack(
            StackName="s", TemplateBody=template({"A": topic("a"), "C": kept, "D": bad})
        )
    assert topics(aws) == {"a"} | left


@pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
def test_what_is_retained_outlives_its_stack(aws: Any, formation: Any, policy: str) -> None:
    kept = {**topic("kept"), "DeletionPolicy": policy}
    formation.create_stack(StackName="s", TemplateBody=template({"A": topic("a"), "C": kept}))
    formation.delete_stack(StackName="s")
    assert topics(aws) == {"kept"}


def exporting(name: str, value: Any) -> dict[str, Any]:
    return {"Outputs": {"Out": {"Value": value, "Export": {"Name": name}}}}


def importing(name: str) -> dict[str, Any]:
    wanted = {"Fn::ImportValue": name}
    return {"B": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": wanted}}}


def execute(formation: Any, stack: str, kind: str, body: str) -> None:
    name = f"set-{kind.lower()}"
    formation.create_change_set(
        StackName=stack, ChangeSetName=name, ChangeSetType=kind, TemplateBody=body
    )
    formation.execute_change_set(ChangeSetName=name, StackName=stack)
    formation.delete_change_set(ChangeSetName=name, StackName=stack)


def test_change_sets_have_outputs_and_exports(aws: Any, formation: Any) -> None:
    body = template({"A": topic("a")}, **exporting("x", {"Ref": "A"}))
    execute(formation, "s", "CREATE", body)
    (stack,) = formation.describe_stacks(StackName="s")["Stacks"]
    arn = "arn:aws:sns:us-east-1:123456789012:a"
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert stack["Outputs"][0]["OutputValue"] == arn
    execute(formation, "t", "CREATE", template(importing("x")))
    execute(formation, "s", "UPDATE", template({"A": topic("a")}, **{
        "Outputs": {**exporting("x", {"Ref": "A"})["Outputs"],
                    "More": {"Value": "1", "Export": {"Name": "y"}}}}))  # fmt: skip
    exports = {e["Name"]: e["Value"] for e in formation.list_exports()["Exports"]}
    assert exports == {"x": arn, "y": "1"}


def test_an_export_in_use_cannot_go(aws: Any, formation: Any) -> None:
    body = template({"A": topic("a")}, **exporting("x", {"Ref": "A"}))
    formation.create_stack(StackName="s", TemplateBody=body)
    formation.create_stack(StackName="t", TemplateBody=template(importing("x")))
    with pytest.raises(ClientError, match="Export x cannot be deleted as it is in use by t"):
        formation.update_stack(StackName="s", TemplateBody=template({"A": topic("a")}))
    with pytest.raises(ClientError, match="in use by t"):
        formation.delete_stack(StackName="s")
    formation.delete_stack(StackName="t")
    formation.delete_stack(StackName="s")
    assert formation.list_exports()["Exports"] == []


BROKEN = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::ImportValue": "nowhere"}}}


def test_a_stack_that_cannot_be_made_leaves_nothing(aws: Any, formation: Any) -> None:
    with pytest.raises(ClientError, match="nowhere"):
        formation.create_stack(StackName="s", TemplateBody=template({"A": topic("a"), "B": BROKEN}))
    assert aws.client("sns").list_topics()["Topics"] == []
    formation.create_stack(StackName="s", TemplateBody=template({"A": topic("a")}))


def test_an_update_that_fails_is_undone(aws: Any, formation: Any) -> None:
    formation.create_stack(StackName="s", TemplateBody=template({"A": topic("a")}))
    with pytest.raises(ClientError, match="nowhere"):
        formation.update_stack(
            StackName="s",
            TemplateBody=template({"A": topic("a"), "C": topic("c"), "B": BROKEN}),
        )
    (stack,) = formation.describe_stacks(StackName="s")["Stacks"]
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    names = {t["TopicArn"].rpartition(":")[2] for t in aws.client("sns").list_topics()["Topics"]}
    assert names == {"a"}


def test_a_protected_stack_stays(aws: Any, formation: Any) -> None:
    formation.create_stack(
        StackName="s", TemplateBody=template({"A": topic("a")}), EnableTerminationProtection=True
    )
    with pytest.raises(ClientError, match="TerminationProtection"):
        formation.delete_stack(StackName="s")


def test_a_circle_is_refused_by_name(aws: Any, formation: Any) -> None:
    first = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "B"}}}
    second = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::Sub": "${A.Name}"}}}
    with pytest.raises(ClientError, match="Circular dependency"):
        formation.create_stack(StackName="s", TemplateBody=template({"A": first, "B": second}))


def test_change_sets_of_two_stacks_may_share_a_name(aws: Any, formation: Any) -> None:
    for name in ("s", "t"):
        formation.create_change_set(
            StackName=name,
            ChangeSetName="one",
            ChangeSetType="CREATE",
            TemplateBody=template({"A": topic(name)}),
        )
    formation.execute_change_set(ChangeSetName="one", StackName="s")
    formation.delete_change_set(ChangeSetName="one", StackName="s")
    names = {t["TopicArn"].rpartition(":")[2] for t in aws.client("sns").list_topics()["Topics"]}
    assert names == {"s"}
    planned = formation.describe_change_set(ChangeSetName="one", StackName="t")
    assert planned["StackName"] == "t"
    with pytest.raises(ClientError, match=r"ChangeSet \[one\] does not exist") as refused:
        formation.describe_change_set(ChangeSetName="one", StackName="s")
    assert refused.value.response["Error"]["Code"] == "ChangeSetNotFound"
    formation.delete_change_set(ChangeSetName="one", StackName="s")
