"""`driftloop quarantine readmit`: rejected rows go in again, and the loop takes them in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from driftloop.rejects import mending, readmit
from driftloop.rejects.rejected import DUPLICATE, Held, Readmission, rows
from driftloop.when import iso
from infra.cli import console
from infra.cli.fault import ASKED_WRONGLY, Fault
from infra.cli.follow import Follow, Outcome
from infra.cli.quarantine import chosen
from infra.cli.rows import existing
from infra.cli.stacks import Deployment
from infra.cli.target import now


def send(
    deployment: Deployment,
    model: str,
    *,
    upload: str | None,
    rule: str | None,
    file: str | None,
    wait: bool,
    json: bool,
) -> Outcome | None:
    """Let rows go in again, and follow the run of the last ones. Returns its outcome."""
    store, landing, moment = deployment.store, deployment.landing, iso(now())
    found = chosen(deployment, model, None)
    sent = readmit.unfinished(found, landing)
    for record in sent:  # whoever began it did not come to the end
        readmit.deliver(store, landing, record, store.bucket)
    found = found if upload is None else chosen(deployment, model, upload)
    if file is not None:
        sent += _send_mended(deployment, model, found, file, moment)
    else:
        for held in found:
            if held.error and not rule:
                if _may_go_whole(held, named=upload is not None):
                    sent.append(
                        readmit.send_whole(store, landing, store.bucket, model, held, moment)
                    )
            elif not held.error:
                again = readmit.as_they_stood(held, rows(store, model, held), rule)
                sent += readmit.send(store, landing, store.bucket, model, held, again, moment)
    if not sent:
        raise Fault(_why_nothing(found, rule))
    return _followed(deployment, model, sent, wait=wait, json=json)


def _send_mended(
    deployment: Deployment, model: str, found: list[Held], file: str, moment: str
) -> list[Readmission]:
    path, store = existing(file), deployment.store
    read = mending.read_json_lines if path.suffix == ".jsonl" else mending.read_csv
    given: dict[str, list[mending.Mended]] = defaultdict(list)
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            for row in read(lines):
                given[row.upload].append(row)
    except UnicodeDecodeError as error:
        raise Fault(
            f"{file}: is not UTF-8 text ({error.reason}); save it as “CSV UTF-8”", ASKED_WRONGLY
        ) from None
    by_name = {held.upload: held for held in found}
    for name, mended in given.items():
        if name not in by_name:
            raise Fault(f"{file}: line {mended[0].at}: no upload {name!r} is known", ASKED_WRONGLY)
    ready = [  # all of the file is looked at before any of it goes in
        (by_name[name], list(readmit.mended(by_name[name], rows(store, model, by_name[name]), m)))
        for name, m in given.items()
    ]
    return [
        record
        for held, again in ready
        for record in readmit.send(
            store, deployment.landing, store.bucket, model, held, again, moment
        )
    ]


def _may_go_whole(held: Held, *, named: bool) -> bool:
    """What could not be read at all will not be readable now, unless somebody knows better."""
    unreadable = (held.error or {}).get("name") == "UnreadableFile"
    return bool(held.originals) and not held.whole and (named or not unreadable)


def _why_nothing(found: Iterable[Held], rule: str | None) -> str:
    left: dict[str, int] = defaultdict(int)
    for held in found:
        for reason, number in held.reasons_now.items():
            left[reason.partition("|")[0]] += number
    if not left or (rule and rule not in left):
        return f"nothing{f' rejected as {rule}' if rule else ''} is in quarantine"
    dropped = left.pop(DUPLICATE, 0) if not rule else 0
    return "no row can go in as it stands: " + "; ".join(filter(None, (
        f"{sum(left.values()):,} want mending (`driftloop quarantine export`, then "
        "`readmit --file`)" if left else "",
        f"{dropped:,} are dropped duplicates (`--rule duplicate` sends them)" if dropped else "",
    )))  # fmt: skip


def _followed(
    deployment: Deployment, model: str, sent: list[Readmission], *, wait: bool, json: bool
) -> Outcome | None:
    outcome: Outcome | None = None
    for record in sent:
        if not json:
            console.out.print(f"{record.rows:,} rows → {record.key}", soft_wrap=True)
    if json:
        console.as_json(sent)
    landing = deployment.landing
    for record in sent if wait else ():
        version = landing.head(record.key).version_id or ""
        follow = Follow(deployment, model, quiet=json)
        outcome = follow.upload(landing.bucket, record.key, version)
    return outcome
