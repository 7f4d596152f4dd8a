"""Synth: deterministic, without AWS, a model beside the others, mistakes named."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from driftloop.errors import SpecError
from infra.settings import SettingsError
from tests.conftest import FLIGHTS, ROOT, Assembly, Synth


@pytest.fixture
def houses(tmp_path: Path) -> Path:
    """A second, smallest possible model."""
    path = tmp_path / "houses.yaml"
    path.write_text(
        "name: houses\ntask: regression\ntarget: price\nfeatures: {rooms: {type: number}}\n"
    )
    return path


def test_synth_gives_one_stack_per_spec_beside_the_platform(assembly: Assembly) -> None:
    assert assembly.stacks() == ["flights", "platform"]


def test_synth_twice_gives_the_same_bytes(assembly: Assembly, synth: Synth) -> None:
    again = synth()
    for stack in assembly.stacks():
        assert again.text(stack) == assembly.text(stack)
    assert {f.name for f in again.path.iterdir()} == {f.name for f in assembly.path.iterdir()}


def test_a_model_more_leaves_the_others_byte_identical(
    assembly: Assembly, synth: Synth, houses: Path
) -> None:
    both = synth(models=f"{FLIGHTS},{houses}")
    assert both.stacks() == ["flights", "houses", "platform"]
    for stack in ("platform", "flights"):
        assert both.text(stack) == assembly.text(stack)


def test_nothing_of_this_machine_is_in_a_template(assembly: Assembly) -> None:
    for stack in assembly.stacks():
        text = assembly.text(stack)
        assert str(ROOT) not in text
        assert str(Path.home()) not in text
        assert socket.gethostname() not in text


def test_no_custom_resource_and_no_function_but_ours(assembly: Assembly) -> None:
    for stack in assembly.stacks():
        template = assembly.template(stack)
        kinds = {body["Type"] for body in template["Resources"].values()}
        assert not [k for k in kinds if "Custom" in k]
        folders = {folder.name for folder in (ROOT / "functions").iterdir() if folder.is_dir()}
        for function in assembly.resources(stack, "AWS::Lambda::Function").values():
            assert function["Properties"]["FunctionName"].split("-")[-1] in folders


def test_stacks_meet_only_in_exports_written_by_hand(assembly: Assembly) -> None:
    outputs = assembly.template("platform")["Outputs"]
    exported = {body["Export"]["Name"] for body in outputs.values()}
    assert all(name == f"driftloop-dev:{output}" for output, name in
               ((o, b["Export"]["Name"]) for o, b in outputs.items()))  # fmt: skip
    used = set(re.findall(r'"Fn::ImportValue": "([^"]+)"', assembly.text("flights")))
    assert used <= exported
    assert not any("Export" in b for b in assembly.template("flights")["Outputs"].values())


def test_the_command_needs_no_aws_and_no_node_on_the_path(
    tmp_path: Path, assembly: Assembly
) -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "JSII_"))}
    env |= {"PATH": "/usr/bin:/bin", "CDK_OUTDIR": str(tmp_path / "out")}
    env |= {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_EC2_METADATA_DISABLED": "true"}
    done = subprocess.run(
        [sys.executable, "-m", "infra.app"], cwd=ROOT, env=env, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out" / "driftloop-dev-flights.template.json").exists()


def test_the_command_names_a_mistake_without_a_traceback(tmp_path: Path) -> None:
    env = {**os.environ, "CDK_CONTEXT_JSON": '{"env": "pord"}', "CDK_OUTDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "infra.app"], cwd=ROOT, env=env, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "env: 'pord' is no environment of cdk.json; did you mean 'prod'?\n"


def test_two_specs_of_one_name_are_refused(synth: Synth) -> None:
    with pytest.raises(SpecError, match="two specs are named 'flights'"):
        synth(models=f"{FLIGHTS},{FLIGHTS}")


def test_no_model_may_take_the_platforms_name(synth: Synth, houses: Path) -> None:
    houses.write_text(houses.read_text().replace("name: houses", "name: platform"))
    with pytest.raises(SpecError, match="'platform' is the name of the shared stack"):
        synth(models=str(houses))


def test_sagemaker_without_an_image_is_refused(synth: Synth, houses: Path) -> None:
    houses.write_text(houses.read_text() + "training: {compute: sagemaker}\n")
    with pytest.raises(SettingsError, match=r"environments\.dev\.sagemaker\.image: is missing"):
        synth(models=str(houses))
