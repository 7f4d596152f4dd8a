"""The state machine, as the template holds it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import FLIGHTS, Assembly, Synth


def machine(assembly: Assembly, name: str = "driftloop-dev-flights") -> dict[str, Any]:
    machines = assembly.resources("flights", "AWS::StepFunctions::StateMachine").values()
    found: list[dict[str, Any]] = [m["Properties"] for m in machines]
    (properties,) = [m for m in found if m["StateMachineName"] == name]
    return properties


def states(definition: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in definition["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from states(state["ItemProcessor"])


@pytest.fixture(scope="session")
def sagemaker_machine(synth: Synth, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    spec = tmp_path_factory.mktemp("specs") / "flights.yaml"
    spec.write_text(FLIGHTS.read_text().replace("compute: lambda", "compute: sagemaker"))
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/driftloop:1"
    settings = {"dev": {"sagemaker": {"image": image}}}
    return machine(synth(models=str(spec), environments=settings))


@pytest.fixture(params=["lambda", "sagemaker"])
def properties(
    request: pytest.FixtureRequest, assembly: Assembly, sagemaker_machine: dict[str, Any]
) -> dict[str, Any]:
    return machine(assembly) if request.param == "lambda" else sagemaker_machine


@pytest.fixture(params=["lambda", "sagemaker", "batch"])
def either(
    request: pytest.FixtureRequest, assembly: Assembly, sagemaker_machine: dict[str, Any]
) -> dict[str, Any]:
    """Of runs or of batches."""
    if request.param == "sagemaker":
        return sagemaker_machine
    batch = "-batch" if request.param == "batch" else ""
    return machine(assembly, f"driftloop-dev-flights{batch}")


def test_every_task_has_a_timeout_retries_with_jitter_and_a_catch(either: dict[str, Any]) -> None:
    tasks = 0
    for name, state in states(json.loads(either["DefinitionString"])):
        if state["Type"] not in ("Task", "Map"):
            continue
        tasks += state["Type"] == "Task"
        assert state["Type"] == "Map" or (state["TimeoutSeconds"] > 0 and state["Retry"]), name
        for retry in state.get("Retry", ()):
            assert retry["JitterStrategy"] == "FULL", name
            assert retry["MaxAttempts"] == 3, name
            assert retry["BackoffRate"] == 2, name
        if name not in ("CheckPiece", "ScoreChunk"):  # whose failures are its Map's to count
            assert ["States.ALL"] in [c["ErrorEquals"] for c in state["Catch"]], name
    assert tasks == 3 if either["StateMachineName"].endswith("-batch") else tasks >= 13


def test_a_task_outlasts_its_function(either: dict[str, Any], assembly: Assembly) -> None:
    timeouts = {
        f["Properties"]["FunctionName"].split("-")[-1]: f["Properties"]["Timeout"]
        for f in assembly.resources("flights", "AWS::Lambda::Function").values()
    }
    for name, state in states(json.loads(either["DefinitionString"])):
        stage = state.get("Resource", "")[2:-1].lower()
        if stage in timeouts:
            assert state["TimeoutSeconds"] > timeouts[stage], name


def test_every_substitution_is_given_and_used(either: dict[str, Any]) -> None:
    asked = set(re.findall(r"\$\{(\w+)\}", either["DefinitionString"]))
    assert asked == set(either["DefinitionSubstitutions"])


def test_every_state_leads_somewhere_and_is_reached(either: dict[str, Any]) -> None:
    definition = json.loads(either["DefinitionString"])
    names = set(definition["States"])
    reached, todo = set(), {definition["StartAt"]}
    while todo:
        name = todo.pop()
        reached.add(name)
        state = definition["States"][name]
        follow = {state.get("Next"), state.get("Default")}
        follow |= {c["Next"] for c in (*state.get("Catch", ()), *state.get("Choices", ()))}
        todo |= (follow - {None}) - reached
    assert reached == names


def test_runs_obey_published_versions(properties: dict[str, Any], assembly: Assembly) -> None:
    versions = assembly.resources("flights", "AWS::Lambda::Version")
    stages = ("Ingest", "Prepare", "Tune", "Train", "Validate", "Register", "Release")
    for stage in stages:
        target = properties["DefinitionSubstitutions"][stage]["Ref"]
        assert target.startswith(f"{stage}FunctionCurrentVersion")
    assert len(versions) == 13


def test_the_pieces_of_a_large_upload_are_checked_in_executions_of_their_own(
    properties: dict[str, Any],
) -> None:
    """Read from the store, eight at once; one that fails is tried again without the others."""
    pieces = json.loads(properties["DefinitionString"])["States"]["CheckPieces"]
    assert pieces["ItemProcessor"]["ProcessorConfig"] == {
        "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD",
    }  # fmt: skip
    assert pieces["ItemReader"]["Parameters"] == {"Bucket": "${Store}", "Key.$": "$.ingest.items"}
    assert pieces["MaxConcurrency"] == 8
    assert not {"ToleratedFailureCount", "ToleratedFailurePercentage"} & pieces.keys()
    assert "States.ExceedToleratedFailureThreshold" in pieces["Retry"][0]["ErrorEquals"]


def test_the_function_that_checks_has_room_for_what_all_pieces_leave(synth: Synth) -> None:
    environments = {"dev": {"piece_bytes": 1 << 20}}
    found = synth(environments=environments).resources("flights", "AWS::Lambda::Function").values()
    properties = [f["Properties"] for f in found]
    (ingest,) = [p for p in properties if p["FunctionName"].endswith("-ingest")]
    assert ingest["Environment"]["Variables"]["DRIFTLOOP_PIECE"] == str(1 << 20)
    assert ingest["EphemeralStorage"]["Size"] == 5120


def test_law_5_the_first_state_refuses_a_lock_that_is_not_the_runs(assembly: Assembly) -> None:
    definition = json.loads(machine(assembly)["DefinitionString"])
    lock = definition["States"][definition["StartAt"]]
    assert lock["Parameters"]["ConditionExpression"] == "#holder = :run AND #fence = :fence"
    retried = lock["Retry"][0]["ErrorEquals"]
    assert "DynamoDB.TransactionConflictException" in retried
    refused = {"DynamoDB.ConditionalCheckFailedException": "StaleLock", "States.ALL": "Failed"}
    assert {c["ErrorEquals"][0]: c["Next"] for c in lock["Catch"]} == refused
    assert definition["States"]["StaleLock"]["Type"] == "Fail"


def test_only_what_passes_by_itself_is_retried(assembly: Assembly) -> None:
    definition = json.loads(machine(assembly)["DefinitionString"])
    for name, state in states(definition):
        for retry in state.get("Retry", ()):
            assert "States.ALL" not in retry["ErrorEquals"], name
            assert "States.TaskFailed" not in retry["ErrorEquals"], name


def test_the_machine_is_logged_and_traced(properties: dict[str, Any]) -> None:
    assert properties["TracingConfiguration"] == {"Enabled": True}
    assert properties["LoggingConfiguration"]["Level"] == "ALL"
    assert properties["StateMachineType"] == "STANDARD"


def test_sagemaker_trains_and_the_function_collects(sagemaker_machine: dict[str, Any]) -> None:
    states_ = json.loads(sagemaker_machine["DefinitionString"])["States"]
    job = states_["Train"]["Parameters"]
    assert states_["ChooseTrial"]["Next"] == "Train"
    assert (states_["Train"]["Next"], states_["Collect"]["Next"]) == ("Collect", "Validate")
    assert job["AlgorithmSpecification"]["ContainerEntrypoint"] == [
        "python", "-m", "driftloop.container",
    ]  # fmt: skip
    # A retried task asks for a second job, and job names are taken for ever.
    assert "$$.State.RetryCount" in job["TrainingJobName.$"]
    longest = f"prod-performance-{'0' * 12}-99-3"
    assert len(longest) <= 63
    assert all(isinstance(v, str) for v in job["HyperParameters"].values())
    assert [c["ChannelName"] for c in job["InputDataConfig"]] == ["training", "spec"]


def test_law_7_a_batch_is_scored_by_published_code_four_chunks_at_once(assembly: Assembly) -> None:
    properties = machine(assembly, "driftloop-dev-flights-batch")
    target = properties["DefinitionSubstitutions"]["Batch"]["Ref"]
    assert target.startswith("BatchFunctionCurrentVersion")
    definition = json.loads(properties["DefinitionString"])
    score = definition["States"]["Score"]
    assert score["MaxConcurrency"] == 4
    given = score["ItemProcessor"]["States"]["ScoreChunk"]["Parameters"]
    assert given == {"op": "score", "item.$": "$.item", "state.$": "$.state"}
    assert score["ItemSelector"]["state"] == {"batch.$": "$.batch", "divided.$": "$.divided"}


def test_a_route_that_a_person_moves_during_a_look_is_looked_at_again(
    properties: dict[str, Any],
) -> None:
    definition = json.loads(properties["DefinitionString"])
    for name in ("Release", "Observe"):
        (again,) = definition["States"][name]["Retry"]
        assert "RouteMoved" in again["ErrorEquals"]
