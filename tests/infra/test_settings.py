"""Mistakes in cdk.json's context, each named with its path."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.settings import Environment, SettingsError, settings
from tests.conftest import ROOT


def read(environment: object, **more: Any) -> Environment:
    return settings({"env": "dev", "environments": {"dev": environment}, **more}).environment


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"remove": "retain"}, r"environments\.dev\.remove: unknown key; did you mean 'removal'"),
        ({"removal": "retian"}, r"environments\.dev\.removal: 'retian' .* did you mean 'retain'"),
        ({"architecture": "arm"}, r"environments\.dev\.architecture: 'arm' .*'arm64'"),
        ({"throttling": {"rat": 1}}, r"throttling\.rat: unknown key; did you mean 'rate'"),
        ({"throttling": {"rate": 0}}, r"throttling\.rate: 0: .*greater than or equal to 1"),
        ({"alarm_email": "nobody"}, r"alarm_email: 'nobody'"),
        ({"authorizer": "iamm"}, r"^environments\.dev\.authorizer: 'iamm' .*'iam'\?$"),
        ({"authorizer": 7}, r"^environments\.dev\.authorizer: 7: should be a mapping of keys$"),
        ({"authorizer": {"jtw": {}}}, r"dev\.authorizer\.jtw: unknown key; did you mean 'jwt'\?"),
        ({"authorizer": {"jwt": {"issuer": "http://x", "audience": ["a"]}}}, r"issuer"),
        ({"authorizer": {"jwt": {"issuer": "https://x"}}}, r"^[a-z.]+jwt\.audience: is missing$"),
        ({"log_days": 2}, r"log_days: 2"),
        ({"public": ["doc"]}, r"public\.0: 'doc' .*did you mean 'docs'"),
        ({"cors": {}}, r"cors\.origins: is missing"),
        ({"cors": {"origins": ["example.com"]}}, r"cors\.origins\.0: 'example.com'"),
        ({"cors": {"origins": ["https://example.com/"]}}, r"cors\.origins\.0"),
        ({"concurrency": {"predict": 0}}, r"concurrency\.predict: 0"),
        ({"concurrency": {"predcit": 1}}, r"concurrency\.predcit.*did you mean 'predict'"),
        ("prod", r"environments\.dev"),
    ],
)
def test_a_mistake_is_named_with_its_path(environment: object, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read(environment)


def test_an_unknown_environment_names_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"'pro' is no environment .* did you mean 'prod'"):
        settings({"env": "pro", "environments": {"dev": {}, "prod": {}}})


@pytest.mark.parametrize("name", ["eu-west", "Prod", "2nd", "pre_prod", "thirteenchars", ""])
def test_an_environments_name_must_fit_into_every_other_name(name: str) -> None:
    """With a hyphen, model y-x of env and model x of env-y would be one; AWS's names end at 64."""
    with pytest.raises(SettingsError, match=rf"environments: '{name}' is no name; write a small"):
        settings({"env": name, "environments": {name: {}}})


@pytest.mark.parametrize("environments", [None, {}, []])
def test_no_environments_is_a_mistake(environments: object) -> None:
    with pytest.raises(SettingsError, match="environments: should be a mapping"):
        settings({"environments": environments})


def test_models_come_as_a_list_or_as_one_string() -> None:
    base = {"environments": {"dev": {}}}
    assert settings({**base, "models": "a.yaml, b.yaml"}).models == ["a.yaml", "b.yaml"]
    assert settings({**base, "models": ["a.yaml"]}).models == ["a.yaml"]
    with pytest.raises(SettingsError, match="models: should be a list"):
        settings({**base, "models": [1]})


def test_the_defaults_are_safe() -> None:
    default = read({})
    assert default.authorizer == "iam"
    assert default.concurrency == {}


def test_cdk_json_says_only_what_the_settings_know() -> None:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    for name in context["environments"]:
        settings({**context, "env": name})
