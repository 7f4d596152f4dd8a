"""What CloudWatch, the captures and the labels know of a release, put together."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

from driftloop.aws.metrics import traffic
from driftloop.aws.registry import Registry
from driftloop.aws.store import Store
from driftloop.releasing.distance import Distance
from driftloop.releasing.evidence import Evidence, Seen
from driftloop.releasing.observed import Look, observed
from driftloop.releasing.terms import Terms
from driftloop.route import BLUE_GREEN, Route
from driftloop.spec import Release
from driftloop.when import parse

BEFORE = timedelta(hours=1)  # at least this long before, for what a champion no longer answers


def earlier(since: datetime, policy: Release) -> tuple[datetime, datetime]:
    """When a champion answered that has answered nothing ``since``: until the end of the minute
    before, as the rest of this minute is the challenger's."""
    span = max(BEFORE, policy.patience * policy.bake)
    return since - span, since.replace(second=0, microsecond=0) - timedelta(milliseconds=1)


def evidence(
    env: str, registry: Registry, store: Store, model: str, terms: Terms, route: Route, now: str
) -> Evidence:
    """Of ``route``'s champion and challenger since its step began."""
    assert route.challenger is not None
    since, until = parse(route.since), parse(now)
    before, paired = route.strategy == BLUE_GREEN, route.shadow
    start, end = earlier(since, terms.release) if before else (since, until)
    ours = traffic(env, model, route.challenger.version, since, until)
    theirs = traffic(env, model, None if before else route.champion.version, start, end)
    old, new = (registry.version(model, s.version) for s in (route.champion, route.challenger))
    said = Distance(**new.distance) if new.distance else None
    expected = said if said and said.champion == old.version else None
    seen = Evidence(Seen(theirs), Seen(ours), expected, paired, before, terms.sample, terms.metric)
    if not ours.requests:  # nobody came: there is nothing to read
        return seen
    classes = [json.loads(store.get(v.baseline_key))["classes"] for v in (old, new)]
    champion, challenger = observed(
        store,
        model,
        terms.metric,
        Look(old.version, start, end, classes[0]),
        Look(new.version, since, until, classes[1]),
        paired,
    )
    return replace(seen, champion=Seen(theirs, champion), challenger=Seen(ours, challenger))
