"""Profiles in the store: what rows look like as JSON, and as a page for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal

from driftloop import keys
from driftloop.blobs import Blobs
from driftloop.data.dataset import dump
from driftloop.errors import NotFound
from driftloop.pages import data_report
from driftloop.profiling.examine import examine
from driftloop.profiling.profile import FORMAT, Profile
from driftloop.spec import Spec

Of = Literal["uploads", "datasets"]


def keep(
    store: Blobs,
    spec: Spec,
    of: Of,
    name: str,
    profile: Profile,
    report: Mapping[str, Any],
    examples: Sequence[Mapping[str, Any]] = (),
    previous: Profile | None = None,
) -> list[dict[str, str]]:
    """Write the profile of an upload or a dataset, and its page; returns what a person should look
    at (``rule``, ``field``, ``text``). Same arguments, same bytes.

    report, examples: see :func:`driftloop.pages.data_report.page`.
    previous: the dataset that an upload's rows are to join; None for a dataset, or for the first.
    """
    findings = examine(profile, spec, previous)
    found = [asdict(finding) for finding in findings]
    document = {**profile.to_json(), "findings": found}
    store.put(keys.profile(spec.name, of, name, "json"), dump(document), "application/json")
    page = data_report.page(profile, spec, report, findings, examples)
    store.put(keys.profile(spec.name, of, name, "html"), page.encode(), "text/html; charset=utf-8")
    return found


def load(store: Blobs, model: str, of: Of, name: str) -> Profile | None:
    """The profile kept under that name; None when there is none (of this format)."""
    try:
        document = json.loads(store.get(keys.profile(model, of, name, "json")))
    except NotFound:
        return None
    return Profile.from_json(document) if document.get("format") == FORMAT else None
