"""Profiles of parts, kept one by one, and of datasets, which are the sum of their parts'."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import reduce

from driftloop import keys
from driftloop.blobs import Blobs
from driftloop.data import dataset, parquet, rowhash
from driftloop.data.dataset import Dataset
from driftloop.errors import NotFound
from driftloop.ids import canonical
from driftloop.profiling import profiles
from driftloop.profiling.profile import FORMAT, Profile, merge
from driftloop.spec import Spec


def keep_part(store: Blobs, spec: Spec, part: str, profile: Profile) -> None:
    """Keep the profile of a part, once."""
    document = canonical(profile.to_json()).encode()
    store.put_if_absent(_key(spec, part), document)


def keep(store: Blobs, spec: Spec, found: Dataset) -> None:
    """Keep profile and page of a dataset, once."""
    if not store.exists(keys.profile(spec.name, "datasets", found.digest, "html")):
        facts = {"dataset": found.digest, "parts": len(found.parts)}
        of = profile_of(store, spec, found)
        profiles.keep(store, spec, "datasets", found.digest, of, facts)


def profile_of(store: Blobs, spec: Spec, found: Dataset) -> Profile:
    """As it is kept, or else the sum of its parts'."""
    kept = profiles.load(store, spec.name, "datasets", found.digest)
    if kept and kept.kinds == Profile.empty(spec).kinds:
        return kept
    return reduce(merge, (_of_part(store, spec, found, i) for i in range(len(found.parts))))


def _of_part(store: Blobs, spec: Spec, found: Dataset, number: int) -> Profile:
    """As it is kept; of labelled captures none is, nor of today's form when that is new: then it
    is made from the rows."""
    part, profile = found.parts[number], Profile.empty(spec)
    try:
        body = json.loads(store.get(_key(spec, part.sha256)))
        if body["format"] == FORMAT and body["kinds"] == profile.kinds:
            return Profile.from_json(body)
    except NotFound:
        pass
    for batch in dataset.scan(store, spec.name, replace(found, parts=(part,))):
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        hashed = {n: rowhash.values(parquet.canonical_of(c)) for n, c in columns.items()}
        profile.update(columns, rowhash.rows(hashed))
    store.put(_key(spec, part.sha256), canonical(profile.to_json()).encode())
    return profile


def _key(spec: Spec, part: str) -> str:
    return keys.profile(spec.name, "parts", part, "json")
