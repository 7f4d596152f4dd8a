"""What ``cdk.json`` (and ``-c`` on the command line) may say, typed and checked.

Raises :class:`SettingsError` with one line per mistake: its path, what was found, what would do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError

from driftloop.mistakes import explain, nearest

Retention = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827]


StageName = Literal[
    "ingest", "prepare", "tune", "train", "validate", "register", "release",
    "trigger", "predict", "stream", "capture", "labels", "monitor", "query", "batch",
]  # fmt: skip


class SettingsError(Exception):
    """The context is wrong; says where and what would be right."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Jwt(_Part):
    """Tokens of an OpenID issuer; the audience is what the API calls itself there."""

    issuer: Annotated[str, Field(pattern=r"^https://[^\s]+$")]
    audience: list[str] = Field(min_length=1)


class JwtAuthorizer(_Part):
    jwt: Jwt


class Cors(_Part):
    """Web pages of which ``origins`` may call the API; a browser asks first, and remembers the
    answer for ``max_age`` seconds. ``headers``: what they may send."""

    origins: list[Annotated[str, Field(pattern=r"^(\*|https?://[^\s/?#*]+)$")]] = Field(
        min_length=1
    )
    headers: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]] = Field(
        ["authorization", "content-type"], min_length=1
    )
    max_age: int = Field(600, ge=0, le=86_400)


class Throttling(_Part):
    """Of the whole API: requests a second, and how many may come at once."""

    rate: int = Field(100, ge=1)
    burst: int = Field(200, ge=1)


class SageMaker(_Part):
    """Where ``compute: sagemaker`` trains; ``image`` is an ECR URI (see its Dockerfile)."""

    image: str | None = None
    instance_type: Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")] = "ml.m5.large"
    volume_gb: int = Field(30, ge=1, le=16384)
    max_minutes: int = Field(60, ge=1, le=28 * 24 * 60)


class Environment(_Part):
    """One deployment. The defaults are those of ``dev``."""

    removal: Literal["destroy", "retain"] = "destroy"
    log_days: Retention = 14
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    authorizer: Annotated[
        Annotated[Literal["iam", "none"], Tag("[word]")]
        | Annotated[JwtAuthorizer, Tag("[mapping]")],
        Discriminator(lambda found: "[word]" if isinstance(found, str) else "[mapping]"),
    ] = "iam"
    public: list[Literal["health", "docs", "openapi"]] = Field(["health"])
    """What of the API nobody needs leave for."""
    cors: Cors | None = None
    alarm_email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    throttling: Throttling = Field(default_factory=Throttling)
    concurrency: dict[StageName, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    """Reserved concurrency by stage. None by default: a new account has ten in all."""
    latency_ms: float = Field(250, gt=0)
    """The latency alarm: p99 of predict, over five minutes."""
    gb_second_usd: float = Field(0.0000166667, gt=0)
    """What the dashboard reckons with: Lambda's list price, x86_64 (https://aws.amazon.com/lambda/pricing)."""
    piece_bytes: int = Field(64 << 20, ge=16 << 10, le=256 << 20)
    """Larger uploads are cut into pieces of this size, which are checked side by side."""
    sagemaker: SageMaker = Field(default_factory=SageMaker)


class Settings(_Part):
    """The environment chosen with ``-c env=``, and the specs to deploy."""

    name: str
    environment: Environment
    models: list[str]


def settings(context: Mapping[str, Any]) -> Settings:
    """Read the context keys ``env``, ``environments`` and ``models`` (a list or ``a,b``)."""
    environments = context.get("environments")
    if not isinstance(environments, dict) or not environments:
        raise SettingsError("environments: should be a mapping of names to settings, in cdk.json")
    name = str(context.get("env", "dev"))
    if name not in environments:
        hint = nearest(name, environments)
        raise SettingsError(f"env: {name!r} is no environment of cdk.json{hint}")
    # It is part of every name: no hyphen, as models have them; a rule's 64 characters hold it.
    if not re.fullmatch("[a-z][a-z0-9]{0,11}", name):
        raise SettingsError(
            f"environments: {name!r} is no name; write a small letter, then small letters or "
            "digits, 12 at most"
        )
    models = context.get("models", [])
    if isinstance(models, str):
        models = [m.strip() for m in models.split(",") if m.strip()]
    if not isinstance(models, list) or not all(isinstance(m, str) for m in models):
        raise SettingsError("models: should be a list of paths to spec files")
    try:
        environment = Environment.model_validate(environments[name])
    except ValidationError as error:
        lines = [f"environments.{name}.{line}" for line in explain(error, Environment)]
        raise SettingsError("\n".join(lines)) from None
    return Settings(name=name, environment=environment, models=models)
