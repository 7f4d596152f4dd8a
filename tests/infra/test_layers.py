"""Bundles: the same bytes every time, small enough, and importable by Lambda's Python."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from driftloop.spec import Spec
from infra import bundling, stages
from infra.bundling import ROOT, Bundle, BundlingError
from infra.layers import bundle_of, handler_of, layer_names
from infra.stages import Stage
from tests.conftest import FLIGHTS

LIMIT = 250 * 2**20  # bytes unzipped, the function and all its layers
RUNTIMES_OWN = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
STAGES = (
    *stages.WORKFLOW, stages.TRIGGER, stages.PREDICT, stages.CAPTURE, stages.LABELS,
    stages.MONITOR, stages.QUERY,
)  # fmt: skip


def by_name(stage: Stage) -> str:
    return stage.name


def bundles(stage: Stage, architecture: str) -> list[Bundle]:
    spec = Spec.load(FLIGHTS) if stage is not stages.QUERY else None
    names = layer_names(stage, spec is not None)
    return [handler_of(stage.name), *(bundle_of(name, architecture, spec) for name in names)]


def unzipped(bundle: Bundle) -> int:
    with zipfile.ZipFile(bundle.path) as archive:
        return sum(entry.file_size for entry in archive.infolist())


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
@pytest.mark.parametrize("stage", STAGES, ids=by_name)
def test_code_and_layers_fit_into_lambda(stage: Stage, architecture: str) -> None:
    size = sum(unzipped(bundle) for bundle in bundles(stage, architecture))
    assert size < LIMIT, f"{stage.name} is {size / 2**20:.1f} MiB"


@pytest.fixture(scope="session")
def opt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every layer unpacked, each in a folder of its digest; and what Lambda itself brings."""
    root = tmp_path_factory.mktemp("opt")
    (root / "runtime").mkdir()
    for name in RUNTIMES_OWN:
        found = importlib.util.find_spec(name)
        assert found is not None
        assert found.origin is not None
        path = Path(found.origin)
        source = path.parent if path.name == "__init__.py" else path
        (root / "runtime" / source.name).symlink_to(source)
    return root


def unpacked(root: Path, bundle: Bundle) -> Path:
    target = root / bundle.digest[:16]
    if not target.exists():
        with zipfile.ZipFile(bundle.path) as archive:
            archive.extractall(target)
    return target


@pytest.mark.skipif(bundling.compiler() is None, reason="needs a Python 3.13")
@pytest.mark.parametrize("stage", STAGES, ids=by_name)
def test_lambdas_python_imports_the_handler_from_the_bundles(stage: Stage, opt: Path) -> None:
    python = bundling.compiler()
    assert python is not None
    code, *layers = (unpacked(opt, bundle) for bundle in bundles(stage, os.uname().machine))
    path = [str(code), *(str(layer / "python") for layer in layers), str(opt / "runtime")]
    program = (
        f"import sys; sys.path[:0] = {path!r}\nimport handler\nassert callable(handler.handler)\n"
        + ("import pyarrow.csv, pyarrow.parquet\n" if "tabular" in stage.layers else "")
        + "import driftloop; print(driftloop.__file__)"
    )
    settings = ("MODEL", "ENV", "LANDING", "STORE", "TABLE", "TOPIC", "CODE", "STATE_MACHINE")
    env = {f"DRIFTLOOP_{name}": "x" for name in settings}
    env |= {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "HOME": str(opt)}
    done = subprocess.run(
        [python, "-I", "-S", "-W", "ignore", "-c", program], env=env, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(opt)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DRIFTLOOP_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "src"
    (folder / "python" / "tests").mkdir(parents=True)
    (folder / "python" / "__pycache__").mkdir()
    (folder / "python" / "a.py").write_text("A = 1\n")
    (folder / "python" / "__pycache__" / "a.cpython-311.pyc").write_bytes(b"stale")
    return folder


def entries(bundle: Bundle) -> dict[str, bytes]:
    with zipfile.ZipFile(bundle.path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_same_sources_give_the_same_bytes_and_are_zipped_once(package: Path) -> None:
    first = bundling.sources("demo", package, "/opt")
    data, made = first.path.read_bytes(), first.path.stat().st_mtime_ns
    assert bundling.sources("demo", package, "/opt").path.stat().st_mtime_ns == made
    first.path.unlink()
    os.utime(package / "python" / "a.py", (0, 0))
    assert bundling.sources("demo", package, "/opt").path.read_bytes() == data


def test_another_source_is_another_bundle(package: Path) -> None:
    first = bundling.sources("demo", package, "/opt")
    (package / "python" / "a.py").write_text("A = 2\n")
    assert bundling.sources("demo", package, "/opt").digest != first.digest


def test_bytecode_is_lambdas_own_and_names_no_folder_of_this_machine(package: Path) -> None:
    files = entries(bundling.sources("demo", package, "/opt"))
    compiled = "python/__pycache__/a.cpython-313.pyc"
    expected = {"python/a.py"} | ({compiled} if bundling.compiler() else set())
    assert set(files) == expected
    if bundling.compiler():
        assert files[compiled][4] == 1  # hash-based, unchecked: PEP 552
        assert b"/opt/python/a.py" in files[compiled]
        assert str(package).encode() not in files[compiled]


def test_without_lambdas_python_sources_are_shipped_alone_under_another_name(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, compiler = bundling.sources("demo", package, "/opt"), bundling.compiler()
    monkeypatch.setattr(bundling, "compiler", lambda: None)
    plain = bundling.sources("demo", package, "/opt")
    assert set(entries(plain)) == {"python/a.py"}
    assert (plain.digest == usual.digest) == (compiler is None)


def test_wheels_are_stripped_but_never_of_their_libraries() -> None:
    bundle = bundle_of("science", "x86_64", None)
    names = list(entries(bundle))
    assert any("/scipy.libs/" in name for name in names)
    assert any("/numpy-2" in name and name.endswith("METADATA") for name in names)
    for name in names:
        folders = name.split("/")[:-1]
        assert not {"tests", "include", "bin"} & set(folders), name
        assert not name.endswith((".pyi", ".h", ".pyx", "direct_url.json")), name


def test_a_layer_that_cannot_be_made_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIFTLOOP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("no-such-thing==1\n")
    with pytest.raises(BundlingError, match=r"layer odd \(arm64\).*\n(.*\n)*.*no-such-thing"):
        bundling.wheels("odd", requirements, "arm64")
    assert not list((tmp_path / "cache").rglob("*.zip"))


def test_arm64_layers_hold_arm64_libraries() -> None:
    files = entries(bundle_of("runtime", "arm64", None))
    libraries = [data for name, data in files.items() if name.endswith(".so")]
    assert libraries
    assert all(data[18:20] == b"\xb7\x00" for data in libraries)  # ELF e_machine: AArch64


@pytest.mark.parametrize("layer", ["runtime", "tabular", "science"])
def test_layers_hold_the_versions_that_are_tested_here(layer: str) -> None:
    """Law 2 wants the same numbers here and there."""
    from importlib.metadata import version

    text = (ROOT / "layers" / layer / "requirements.txt").read_text()
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, pinned = line.partition("==")
            assert version(name) == pinned, name


def test_the_spec_layer_is_the_canonical_spec() -> None:
    spec = Spec.load(FLIGHTS)
    files = entries(bundle_of("spec", "x86_64", spec))
    assert json.loads(files["spec.json"])["name"] == "flights"
    assert files == {"spec.json": spec.to_json()}
