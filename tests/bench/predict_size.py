"""What has to be deployed: MB as a zip, and unpacked."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

from driftloop.spec import Spec
from infra.bundling import ROOT, content, sources, wheels
from infra.stages import PREDICT

Size = dict[str, float | None]


def ours(spec: Spec) -> Size:
    """The predict function and its layers, as the stack has them."""
    code = [
        sources("function-predict", ROOT / "functions" / "predict", "/var/task"),
        sources("driftloop", ROOT / "layers" / "driftloop", "/opt"),
        content(f"spec-{spec.name}", {"spec.json": spec.to_json()}),
    ]
    return _zips([*(bundle.path for bundle in code), *map(_layer, PREDICT.layers)])


def function(pipeline: Path) -> Size:
    """A handler with scikit-learn and powertools: our own layers of these, stripped and compiled
    as they are, and the pipeline."""
    found = _zips([_layer("science"), _layer("runtime")])
    more = pipeline.stat().st_size / 1e6
    return {name: (size or 0) + more for name, size in found.items()}


def server(python: str) -> Size:
    """An environment, as it would lie in an image; without pip."""
    (packages,) = (Path(python).parents[1] / "lib").glob("python3*/site-packages")
    own = ("pip", "setuptools", "_distutils_hack")
    folders = [f for f in packages.iterdir() if not f.name.startswith(own)]
    files = (file for f in folders for file in ([f] if f.is_file() else f.rglob("*")))
    return {"zip": None, "unzipped": sum(f.stat().st_size for f in files if f.is_file()) / 1e6}


def _layer(name: str) -> Path:
    return wheels(name, ROOT / "layers" / name / "requirements.txt", "x86_64").path


def _zips(paths: list[Path]) -> Size:
    unzipped = 0
    for path in paths:
        with ZipFile(path) as archive:
            unzipped += sum(info.file_size for info in archive.infolist())
    return {"zip": sum(path.stat().st_size for path in paths) / 1e6, "unzipped": unzipped / 1e6}
