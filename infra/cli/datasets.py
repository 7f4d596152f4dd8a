"""`driftloop datasets`, `export`: which versions of the rows there are, and one as a file."""

from __future__ import annotations

import gzip
import io
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, cast

from driftloop import keys
from driftloop.blobs import get_all
from driftloop.data import dataset
from driftloop.data import export as exporting
from driftloop.data.dataset import Dataset, Part
from driftloop.when import from_ms, iso
from infra.cli import console
from infra.cli.console import moment
from infra.cli.fault import ASKED_WRONGLY, Fault
from infra.cli.rows import writable
from infra.cli.stacks import Deployment

SHORT = 12  # digits of a digest that people see


def show(deployment: Deployment, model: str, name: str | None, *, limit: int, json: bool) -> None:
    """All datasets, newest first; or the parts of one."""
    deployment.model(model)
    if name is not None:
        return _show_parts(deployment, model, named(deployment, model, name), json=json)
    learned: dict[str, list[int]] = defaultdict(list)
    for version in deployment.registry.versions(model):
        learned[version.dataset].append(version.version)
    found = every(deployment, model)[::-1][:limit]
    runs = _runs(deployment, model)
    facts = [{**_facts(d, runs), "versions": sorted(learned[d.digest])} for d in found]
    if json:
        return console.as_json(facts)
    return console.listing(
        f"datasets of {model}",
        [
            {**f, "dataset": f["dataset"][:SHORT], "from": moment(f["first"]),
             "to": moment(f["last"]), "made": moment(f["made"]),
             "versions": ", ".join(map(str, f["versions"]))}
            for f in facts
        ],
        ("made", "dataset", "rows", "parts", "from", "to", "by", "run", "versions"),
        f"{model} has no dataset yet; upload training data to make one",
    )  # fmt: skip


def every(deployment: Deployment, model: str) -> list[Dataset]:
    """All manifests, oldest first: in the order of what came in last."""
    found = get_all(deployment.store, deployment.store.list(keys.dataset(model)))
    return sorted((Dataset.parse(data) for _, data in found), key=_age)


def named(deployment: Deployment, model: str, name: str) -> Dataset:
    """The dataset of a digest's beginning, of a version that learned from it (``v7``), or the
    ``latest``. Raises Fault."""
    deployment.model(model)
    if match := re.fullmatch(r"v(\d+)", name):
        wanted = deployment.registry.version(model, int(match[1])).dataset
        return dataset.load(deployment.store, model, wanted)
    prefix = keys.dataset(model)
    if re.fullmatch(r"[0-9a-f]{4,64}", name):
        matching = [key.removeprefix(prefix) for key in deployment.store.list(prefix + name)]
        if len(matching) == 1:
            return dataset.load(deployment.store, model, matching[0].removesuffix(".json"))
        if matching:
            raise Fault(f"{len(matching)} datasets of {model} begin with {name!r}", ASKED_WRONGLY)
    elif name == "latest":
        if found := every(deployment, model):
            return found[-1]
        raise Fault(f"{model} has no dataset yet", ASKED_WRONGLY)
    raise Fault(
        f"{model} has no dataset {name!r}; name one by the beginning of its digest, as "
        f"`driftloop datasets {model}` shows it, by a version that learned from it (v7), or say "
        "latest",
        ASKED_WRONGLY,
    )


def export(deployment: Deployment, model: str, name: str, file: str, *, defuse: bool) -> None:
    """Write a dataset to one file."""
    path = writable(file)
    packed = path.suffix == ".gz"
    form = (path.with_suffix("") if packed else path).suffix.removeprefix(".")
    if form not in ("csv", "jsonl", "parquet") or (packed and form == "parquet"):
        raise Fault(
            f"{file}: name it .csv, .jsonl (both also .gz) or .parquet, that is its format",
            ASKED_WRONGLY,
        )
    if defuse and form != "csv":
        raise Fault(f"{file}: only CSV is opened by spreadsheets; drop --defuse", ASKED_WRONGLY)
    found = named(deployment, model, name)
    half = path.with_name(f".{path.name}.half")
    try:
        with half.open("wb") as plain:
            # no name and no time of the day in it: the same rows are the same bytes
            out = gzip.GzipFile("", "wb", 6, plain, mtime=0) if packed else plain
            with io.BufferedWriter(cast(Any, out)) if packed else plain as target:
                done = exporting.write(
                    deployment.store, model, found, cast(Any, form), cast(BinaryIO, target), defuse
                )
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
    console.out.print(f"{done.rows:,} rows of {found.digest[:SHORT]} → {path}", soft_wrap=True)
    if done.formulas and not defuse and form == "csv":
        console.err.print(
            f"[yellow]{done.formulas:,} cells may run as formulas in a spreadsheet; for one, "
            "export with --defuse[/] (and do not upload that file)",
            soft_wrap=True,
        )


def _show_parts(deployment: Deployment, model: str, found: Dataset, *, json: bool) -> None:
    runs = _runs(deployment, model)
    bucket = deployment.store.bucket
    facts: list[dict[str, Any]] = [
        {"part": p.sha256, "rows": p.rows, **_span([p]), "made": p.ingested, **_maker(p, runs),
         "object": f"s3://{bucket}/{keys.part(model, p.sha256)}"}
        for p in found.parts
    ]  # fmt: skip
    if json:
        return console.as_json({**_facts(found, runs), "columns": found.columns, "parts": facts})
    return console.listing(
        f"parts of dataset {found.digest[:SHORT]} of {model}",
        [{**f, "part": f["part"][:SHORT], "from": moment(f["first"]), "to": moment(f["last"]),
          "made": moment(f["made"])} for f in facts],
        ("made", "part", "rows", "from", "to", "by", "run"),
        "",
    )  # fmt: skip


def _facts(found: Dataset, runs: Mapping[str, str]) -> dict[str, Any]:
    newest = max(found.parts, key=lambda p: p.ingested)
    return {
        "dataset": found.digest,
        "rows": found.rows,
        "parts": len(found.parts),
        **_span(found.parts),
        "made": newest.ingested,
        **_maker(newest, runs),
    }


def _span(parts: Sequence[Part]) -> dict[str, str | None]:
    first = min((p.first for p in parts if p.first is not None), default=None)
    last = max((p.last for p in parts if p.last is not None), default=None)
    return {
        "first": None if first is None else iso(from_ms(first)),
        "last": None if last is None else iso(from_ms(last)),
    }


def _maker(part: Part, runs: Mapping[str, str]) -> dict[str, str | None]:
    """The upload (or labels) a part came with, and the run that took it in."""
    origin = part.origin
    by = origin["key"].split("/", 2)[-1] if "key" in origin else part.source
    return {"by": by, "run": runs.get(str(origin.get("version_id")))}


def _runs(deployment: Deployment, model: str) -> dict[str, str]:
    """Version of an uploaded object → the run that took it in."""
    return {
        str(upload.get("version_id")): run.run
        for run in deployment.registry.runs(model)
        for upload in run.uploads
    }


def _age(found: Dataset) -> tuple[str, int]:
    return max(part.ingested for part in found.parts), len(found.parts)
