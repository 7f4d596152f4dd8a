"""`driftloop quarantine`, `quarantine export`: what was rejected and why; out for mending."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Literal

from driftloop import keys
from driftloop.rejects import mending
from driftloop.rejects.quarantine import Rejected
from driftloop.rejects.rejected import Held, grouped, holdings, rows
from infra.cli import console
from infra.cli.console import moment
from infra.cli.fault import ASKED_WRONGLY, Fault, nearest
from infra.cli.rows import writable
from infra.cli.stacks import Deployment

By = Literal["rule", "field", "upload"]
EXAMPLES = 3


def show(
    deployment: Deployment, model: str, *, upload: str | None, by: By | None, json: bool
) -> None:
    """Uploads with rows in quarantine, and the reasons, most frequent first, with examples."""
    found = chosen(deployment, model, upload)
    names = (by,) if by else ("rule", "field")
    groups = grouped(found, names)
    examples = _examples(deployment, model, found, names, EXAMPLES if json else 1)
    for group in groups:
        group["examples"] = examples.get(tuple(group[name] for name in names), [])
    held = [h for h in found if h.held or h.readmitted or h.error]
    if json:
        return console.as_json({"uploads": [_facts(h) for h in held], "reasons": groups})
    console.listing(
        f"quarantine of {model}",
        [{**_facts(h), "time": moment(h.time), "file": _file(h.key),
          "refused": h.error and h.error["name"]} for h in held],
        ("time", "upload", "file", "total", "accepted", "held", "readmitted", "refused"),
        f"nothing of {model} is in quarantine ({len(found)} uploads)",
    )  # fmt: skip
    if groups:
        console.out.print()
        lines = [{**g, "for example": "; ".join(map(_shown, g["examples"]))} for g in groups]
        console.listing("why", lines, (*names, "rows", "uploads", "for example"), "")
    return None


def export(
    deployment: Deployment, model: str, file: str, *, upload: str | None, rule: str | None
) -> None:
    """Write rows in quarantine to a file that a person can mend; those of an upload that was
    refused whole, and is mended as a whole, only when it is named."""
    path = writable(file)
    write = {".csv": mending.write_csv, ".jsonl": mending.write_json_lines}.get(path.suffix)
    if write is None:
        raise Fault(f"{file}: name it .csv or .jsonl, that is its format", ASKED_WRONGLY)
    found = [
        h for h in chosen(deployment, model, upload) if h.reasons_now and (upload or not h.error)
    ]
    rules = {reason.partition("|")[0] for h in found for reason in h.reasons_now}
    if rule and rule not in rules:
        raise Fault(f"nothing rejected as {rule!r} is in quarantine{nearest(rule, rules)}",
                    ASKED_WRONGLY)  # fmt: skip

    def picked(held: Held) -> Iterator[Rejected]:
        return (r for r in rows(deployment.store, model, held) if not rule or r.rule == rule)

    with path.open("w", encoding="utf-8", newline="") as out:
        count = write(out, [(held, picked(held)) for held in found])
    console.out.print(f"{count:,} rejected rows → {path}", soft_wrap=True)


def chosen(deployment: Deployment, model: str, upload: str | None) -> list[Held]:
    """All uploads, or those of a file's name or of the beginning of a name. Raises Fault."""
    deployment.model(model)
    found = holdings(deployment.store, model)
    if upload is None:
        return found
    own = keys.incoming(model)
    picked = [
        h for h in found
        if upload in (h.key, h.key.removeprefix(own)) or (len(upload) > 3 and
                                                          h.upload.startswith(upload))
    ]  # fmt: skip
    if not picked:
        hint = nearest(upload, {h.key.removeprefix(own) for h in found})
        raise Fault(f"no upload {upload!r} of {model} is known{hint}", ASKED_WRONGLY)
    return picked


def _facts(held: Held) -> dict[str, Any]:
    names = ("upload", "key", "time", "total", "accepted", "held", "readmitted", "error")
    return {name: getattr(held, name) for name in names} | {"reasons": dict(held.reasons_now)}


def _examples(
    deployment: Deployment, model: str, found: list[Held], names: tuple[str, ...], most: int
) -> dict[tuple[str, ...], list[dict[str, Any]]]:
    """Some rows of each group, newest uploads first; no more is read than is needed."""
    examples: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for held in reversed(found):
        wanted = {reason for reason in held.reasons_now
                  if len(examples[_group(held, reason, names)]) < most}  # fmt: skip
        if not wanted:
            continue
        for r in rows(deployment.store, model, held):
            reason = f"{r.rule}|{r.field}"
            kept = examples[_group(held, reason, names)]
            if len(kept) < most:
                kept.append({"upload": held.upload, "file": r.file or held.key, "line": r.line,
                             "field": r.field, "value": r.value, "text": r.text})  # fmt: skip
            else:
                wanted.discard(reason)
                if not wanted:
                    break
    return examples


def _group(held: Held, reason: str, names: tuple[str, ...]) -> tuple[str, ...]:
    rule, _, field = reason.partition("|")
    facts = {"rule": rule, "field": field, "upload": held.upload}
    return tuple(facts[name] for name in names)


def _shown(example: dict[str, Any]) -> str:
    file = _file(example["file"])
    named = example["field"] and example["value"] not in (None, "")
    said = repr(example["value"] if named else example["text"])
    return f"{file} line {example['line']}: {said if len(said) < 60 else said[:59] + '…'}"


def _file(key: str) -> str:
    """A key of the landing bucket without ``incoming/<model>/``."""
    return key.split("/", 2)[-1]
