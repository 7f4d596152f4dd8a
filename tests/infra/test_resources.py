"""What must hold of every resource, by name, whoever adds one."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from infra.triggers import rate
from tests.conftest import ROOT, Assembly, Synth


def every(assembly: Assembly, kind: str) -> dict[str, dict[str, Any]]:
    """Logical id → properties, over all stacks."""
    return {
        f"{stack}.{name}": body["Properties"]
        for stack in assembly.stacks()
        for name, body in assembly.resources(stack, kind).items()
    }


def test_every_event_target_has_a_dead_letter_queue_and_a_retry_policy(assembly: Assembly) -> None:
    rules = every(assembly, "AWS::Events::Rule")
    assert len(rules) >= 7
    for name, rule in rules.items():
        for target in rule["Targets"]:
            assert target["DeadLetterConfig"]["Arn"], name
            assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0, name
            assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] >= 3600, name


def test_rules_carry_the_names_the_trigger_reads(assembly: Assembly) -> None:
    names = {rule["Name"] for rule in every(assembly, "AWS::Events::Rule").values()}
    causes = ("upload", "alarm", "run-ended", "manual", "sweep", "labels", "batch", "monitor")
    assert names == {f"driftloop-dev-flights-{cause}" for cause in causes}


def test_a_schedule_makes_a_rule(synth: Synth, tmp_path: Path) -> None:
    spec = tmp_path / "s.yaml"
    spec.write_text(
        "name: s\ntask: regression\ntarget: y\nfeatures: {x: {type: number}}\n"
        "retrain: {on: [schedule], schedule: 'cron(0 3 ? * MON *)', cooldown: 3d}\n"
    )
    rules = {
        r["Name"]: r for r in every(synth(models=str(spec)), "AWS::Events::Rule").values()
    }  # fmt: skip
    assert rules["driftloop-dev-s-retrain"]["ScheduleExpression"] == "cron(0 3 ? * MON *)"
    assert rules["driftloop-dev-s-sweep"]["ScheduleExpression"] == "rate(1 day)"


def test_every_log_group_forgets_and_every_function_writes_to_one_of_ours(
    assembly: Assembly,
) -> None:
    groups = every(assembly, "AWS::Logs::LogGroup")
    for name, group in groups.items():
        assert group["RetentionInDays"] == 14, name
        assert group["KmsKeyId"], name
    ours = {name.split(".")[1] for name in groups}
    for name, function in every(assembly, "AWS::Lambda::Function").items():
        assert function["LoggingConfig"]["LogGroup"]["Ref"] in ours, name


def test_every_function_is_traced_timed_and_of_one_runtime(assembly: Assembly) -> None:
    functions = every(assembly, "AWS::Lambda::Function")
    assert len(functions) == 14
    for name, function in functions.items():
        assert function["Runtime"] == "python3.13", name
        assert function["Handler"] == "handler.handler", name
        assert function["Architectures"] == ["x86_64"], name
        assert function["TracingConfig"] == {"Mode": "Active"}, name
        assert 3 < function["Timeout"] <= 900, name
        assert len(function["Layers"]) <= 5, name
        assert "ReservedConcurrentExecutions" not in function, name  # a new account has ten
        size = len(json.dumps(function["Environment"]["Variables"]))
        assert size < 4096, name


def test_what_no_run_invokes_has_an_alarm_and_what_events_invoke_dead_letters(
    assembly: Assembly,
) -> None:
    alarms = {a["AlarmName"] for a in every(assembly, "AWS::CloudWatch::Alarm").values()}
    for function in every(assembly, "AWS::Lambda::Function").values():
        name = function["FunctionName"]
        if name.split("-")[-1] in ("trigger", "capture", "labels", "monitor"):
            assert function["DeadLetterConfig"]["TargetArn"], name
            assert f"{name}-failing" in alarms
    # A predict that runs out of time or memory prints no metric of its own.
    assert "driftloop-dev-flights-predict-failing" in alarms


def test_dead_letters_are_kept_as_long_as_may_be_and_told_of(assembly: Assembly) -> None:
    (queue,) = every(assembly, "AWS::SQS::Queue").values()
    assert queue["MessageRetentionPeriod"] == 14 * 86400
    alarms = {a["AlarmName"]: a for a in every(assembly, "AWS::CloudWatch::Alarm").values()}
    alarm = alarms["driftloop-dev-flights-dead-letters"]
    assert (alarm["Namespace"], alarm["Statistic"]) == ("AWS/SQS", "Maximum")
    assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")


def test_queues_are_encrypted_and_speak_tls_only(assembly: Assembly) -> None:
    for name, queue in every(assembly, "AWS::SQS::Queue").items():
        assert queue["SqsManagedSseEnabled"] is True, name
    for policy in every(assembly, "AWS::SQS::QueuePolicy").values():
        effects = [s["Effect"] for s in policy["PolicyDocument"]["Statement"]]
        assert "Deny" in effects


def test_every_alarm_says_what_missing_data_means_and_tells_the_topic(assembly: Assembly) -> None:
    alarms = every(assembly, "AWS::CloudWatch::Alarm")
    names = {alarm["AlarmName"] for alarm in alarms.values()}
    assert {f"driftloop-dev-flights-{c}" for c in ("drift", "performance", "errors", "latency")} < (
        names
    )
    for name, alarm in alarms.items():
        assert alarm["TreatMissingData"] in ("ignore", "notBreaching"), name
        # Of drift and performance the loop itself tells, once it has decided what to do.
        told = not alarm["AlarmName"].endswith(("-drift", "-performance"))
        topic = [{"Fn::ImportValue": "driftloop-dev:TopicArn"}] if told else []
        assert alarm.get("AlarmActions", []) == topic, name


def test_drift_and_performance_are_ratios_to_the_versions_own_thresholds(
    assembly: Assembly,
) -> None:
    for alarm in every(assembly, "AWS::CloudWatch::Alarm").values():
        if alarm["AlarmName"].endswith(("-drift", "-performance")):
            assert alarm["Threshold"] == 1
            assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
            assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (1, 1)
            assert (alarm["Statistic"], alarm["Period"]) == ("Maximum", 60)
            assert alarm["TreatMissingData"] == "ignore"
            assert alarm["Dimensions"] == [{"Name": "model", "Value": "flights"}]
            assert alarm["Namespace"] == "driftloop/dev"


def test_two_environments_of_an_account_share_no_metric(assembly: Assembly, synth: Synth) -> None:
    """Else the traffic of dev would set off the alarms of prod."""

    def metrics(found: Assembly) -> set[tuple[str, str]]:
        alarms = every(found, "AWS::CloudWatch::Alarm").values()
        ours = [a for a in alarms if not a["Namespace"].startswith("AWS/")]
        return {(a["Namespace"], a["MetricName"]) for a in ours}

    assert len(metrics(assembly)) == 4
    assert not metrics(assembly) & metrics(synth(env="prod"))


def test_the_registry_can_be_put_back_to_any_second(assembly: Assembly) -> None:
    (table,) = every(assembly, "AWS::DynamoDB::Table").values()
    recovery = table["PointInTimeRecoverySpecification"]
    assert recovery == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"]["SSEType"] == "KMS"
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_the_api_is_throttled_and_logs_its_access(assembly: Assembly) -> None:
    (stage,) = every(assembly, "AWS::ApiGatewayV2::Stage").values()
    assert (stage["StageName"], stage["AutoDeploy"]) == ("$default", True)
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == 100
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == 200
    assert stage["AccessLogSettings"]["DestinationArn"]
    assert json.loads(stage["AccessLogSettings"]["Format"])


def test_only_capture_lines_leave_the_log(assembly: Assembly) -> None:
    (subscription,) = every(assembly, "AWS::Logs::SubscriptionFilter").values()
    assert subscription["FilterPattern"] == "{ $.capture = 1 }"


def test_the_spec_is_a_layer_of_every_function_of_its_model(assembly: Assembly) -> None:
    layers = assembly.resources("flights", "AWS::Lambda::LayerVersion")
    (spec,) = (name for name in layers if name.startswith("LayersSpec"))
    for name, function in assembly.resources("flights", "AWS::Lambda::Function").items():
        assert {"Ref": spec} in function["Properties"]["Layers"], name


def test_a_changed_spec_is_a_new_version_of_every_function(
    assembly: Assembly, synth: Synth, tmp_path: Path
) -> None:
    other = tmp_path / "flights.yaml"
    text = (ROOT / "infra" / "models" / "flights.yaml").read_text()
    other.write_text(text.replace("seed: 7", "seed: 8"))
    before = set(assembly.resources("flights", "AWS::Lambda::Version"))
    after = set(synth(models=str(other)).resources("flights", "AWS::Lambda::Version"))
    assert len(before) == len(after) == 13
    assert not before & after
    for version in assembly.resources("flights", "AWS::Lambda::Version").values():
        # Runs in flight go on with theirs. But one of a deployment that failed goes: it would be
        # in the way of the next, since Lambda publishes the same code and settings only once.
        assert version["DeletionPolicy"] == "RetainExceptOnCreate"
        assert version["UpdateReplacePolicy"] == "Retain"


def test_prod_keeps_what_it_holds(synth: Synth) -> None:
    prod = synth(env="prod")
    for kind in ("AWS::S3::Bucket", "AWS::KMS::Key"):
        for name, body in prod.resources("platform", kind).items():
            assert body["DeletionPolicy"] == "RetainExceptOnCreate", name
            assert body["UpdateReplacePolicy"] == "Retain", name
    (table,) = prod.resources("platform", "AWS::DynamoDB::Table").values()
    assert table["Properties"]["DeletionProtectionEnabled"] is True
    # A roll-back could not delete what is protected, and would stop there.
    assert table["DeletionPolicy"] == "Retain"
    for group in every(prod, "AWS::Logs::LogGroup").values():
        assert group["RetentionInDays"] == 365


def test_what_a_failed_deployment_made_is_not_in_the_way_of_the_next(synth: Synth) -> None:
    prod = synth(env="prod")
    for stack in prod.stacks():
        for name, body in prod.template(stack)["Resources"].items():
            protected = body.get("Properties", {}).get("DeletionProtectionEnabled")
            assert protected or body.get("DeletionPolicy") != "Retain", name


def test_settings_reach_the_resources(synth: Synth) -> None:
    other = synth(
        environments={
            "dev": {
                "architecture": "arm64", "alarm_email": "ops@example.com",
                "concurrency": {"predict": 5}, "throttling": {"rate": 7, "burst": 9},
            }
        }
    )  # fmt: skip
    functions = every(other, "AWS::Lambda::Function")
    assert all(f["Architectures"] == ["arm64"] for f in functions.values())
    reserved = {
        f["FunctionName"]: f.get("ReservedConcurrentExecutions") for f in functions.values()
    }
    assert reserved["driftloop-dev-flights-predict"] == 5
    (mail,) = every(other, "AWS::SNS::Subscription").values()
    assert (mail["Protocol"], mail["Endpoint"]) == ("email", "ops@example.com")
    (stage,) = every(other, "AWS::ApiGatewayV2::Stage").values()
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == 7


def test_everything_that_can_be_is_tagged_by_model_and_environment(assembly: Assembly) -> None:
    for name, function in every(assembly, "AWS::Lambda::Function").items():
        tags = {tag["Key"]: tag["Value"] for tag in function["Tags"]}
        assert tags["driftloop:env"] == "dev"
        assert ("driftloop:model" in tags) == name.startswith("flights.")


def test_cfn_lint_has_nothing_to_say(assembly: Assembly) -> None:
    templates = sorted(map(str, assembly.path.glob("*.template.json")))
    done = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "--config-file", ROOT / ".cfnlintrc", "--",
         *templates],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")


@given(st.integers(1, 10**7))
def test_a_rate_is_whole_minutes_in_the_largest_unit(seconds: int) -> None:
    count, unit = rate(timedelta(seconds=seconds)).removeprefix("rate(").removesuffix(")").split()
    size = {"minute": 60, "hour": 3600, "day": 86400}[unit.removesuffix("s")]
    assert int(count) * size == max(60, seconds // 60 * 60)
    assert unit.endswith("s") == (int(count) != 1)
