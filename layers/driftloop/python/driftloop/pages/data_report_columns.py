"""One card per column: its values, and the target by them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from driftloop.pages import bars, drawings
from driftloop.pages.bars import Bars
from driftloop.pages.look import table
from driftloop.pages.readable import number, share
from driftloop.profiling.outcome import Outcome
from driftloop.profiling.profile import Profile
from driftloop.sketches.sketch import NumberSketch, Sketch, TextSketch

MOST_CARDS = 60
"""More columns than that are listed in a table: a page has to open on a phone."""

STYLE = """
figure table{margin-top:.4rem}figure td{padding:.1rem .3rem .1rem 0;border:0;font-size:.85rem}
figure td.name{max-width:9rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
figure .facts{font-size:.85rem;color:var(--soft);margin:.3rem 0 0}
figcaption i{font-style:normal;color:var(--soft);float:right}.bar{min-width:3.5rem}
"""


def cards(
    profile: Profile, outcome: Outcome, told: Mapping[str, float], first: Sequence[str]
) -> str:
    """Cards of the features in ``told`` (what each says of the target): those in ``first`` first,
    then by what they say."""
    ranked = sorted(told, key=lambda n: (n not in first, -told[n]))
    drawn = "".join(
        card(profile.sketches[name], name, outcome, told[name]) for name in ranked[:MOST_CARDS]
    )
    return f"{_key(outcome)}<div class=plots>{drawn}</div>{_rest(profile, ranked[MOST_CARDS:])}"


def card(sketch: Sketch, name: str, outcome: Outcome | None, told: float = 0.0) -> str:
    """One column's card. Without ``outcome``: without the target."""
    plot = ""
    if isinstance(sketch, NumberSketch):
        found = bars.of_numbers(sketch)
        plot = _numbers(sketch, name, found, outcome) if found else ""
    elif isinstance(sketch, TextSketch):
        found = bars.of_texts(sketch)
        plot = _texts(sketch, name, found, outcome) if found else ""
    about = "" if sketch.exact else "about "
    goes = f" · goes with {escape(outcome.target)}: {number(told)}" if outcome and told else ""
    kind = "number" if isinstance(sketch, NumberSketch) else "category"
    return (
        f"<figure><figcaption><b>{escape(name)}</b> <i>{kind}</i></figcaption>{plot}"
        f"<p class=facts>missing {share(sketch.missing, sketch.rows)} · "
        f"{about}{sketch.distinct:,} distinct{goes}</p></figure>"
    )


def _numbers(sketch: NumberSketch, name: str, found: Bars, outcome: Outcome | None) -> str:
    titles = [
        f"{label}: {round(count):,} ({share(count, sketch.present)})"
        for label, count in zip(found.labels, found.counts.tolist(), strict=True)
    ]
    low, high = number(sketch.min), number(sketch.max)
    if found.logarithmic:
        low = f"{low} (logarithmic)"
    plot = drawings.columns(found.counts.tolist(), titles, (low, high), f"values of {name}")
    below = ""
    if outcome:
        rows = outcome.by(name, found.groups)
        if outcome.single:
            below = _levels(rows, found.labels, outcome, name) + _range(rows, outcome)
        else:
            below = drawings.shares(rows, f"{outcome.shown} by {name}")
    points = [(q, sketch.quantile(q / 100)) for q in (5, 25, 50, 75, 95)]
    cells = "".join(f"<td class=n>{number(v)}</td>" for _, v in points)
    heads = "".join(f"<td class=n>{q}%</td>" for q, _ in points)
    spread = f" ± {number(sketch.deviation)}" if sketch.deviation is not None else ""
    return (
        f"{plot}{below}<table class=soft><tr>{heads}</tr><tr>{cells}</tr></table>"
        f"<p class=facts>mean {number(sketch.mean)}{spread}{_outliers(sketch)}</p>"
    )


def _outliers(sketch: NumberSketch) -> str:
    found = bars.outliers(sketch)
    if not found or not found[2]:
        return ""
    low, high, count = found
    return (
        f" · {count:,} ({share(count, sketch.present)}) far out, beyond {number(low)} "
        f"and {number(high)}"
    )


def _levels(
    rows: Sequence[Sequence[float] | None], labels: Sequence[str], outcome: Outcome, name: str
) -> str:
    values = [row[-1] if row else None for row in rows]
    words = [
        f"{label}: {_level(value, outcome)}" for label, value in zip(labels, values, strict=True)
    ]
    return drawings.levels(values, words, outcome.level, f"{outcome.shown} by {name}")


def _range(rows: Sequence[Sequence[float] | None], outcome: Outcome) -> str:
    seen = [row[-1] for row in rows if row]
    if not seen:
        return ""
    ends = f"{_level(min(seen), outcome)} to {_level(max(seen), outcome)}"
    return f"<p class=facts>{escape(outcome.shown)}: {ends}</p>"


def _level(value: float | None, outcome: Outcome) -> str:
    if value is None:
        return "–"
    return share(value) if outcome.classes else number(value)


def _texts(sketch: TextSketch, name: str, found: Bars, outcome: Outcome | None) -> str:
    rows = outcome.by(name, found.groups) if outcome else [None] * len(found.labels)
    largest = max(found.counts.tolist())
    drawn = ""
    for label, count, told in zip(found.labels, found.counts.tolist(), rows, strict=True):
        if not count:
            continue
        goes = ""
        if outcome and outcome.single:
            goes = f"<td class=n>{_level(told[-1] if told else None, outcome)}</td>"
        elif outcome:
            goes = f"<td class=bar>{drawings.stack(told or [])}</td>"
        drawn += (
            f'<tr><td class=name title="{escape(label)}">{escape(label)}</td>'
            f"<td class=bar>{drawings.bar(count / largest)}</td>"
            f"<td class=n>{share(count, sketch.present)}</td>{goes}</tr>"
        )
    return f"<table>{drawn}</table>"


def _key(outcome: Outcome) -> str:
    if outcome.single:
        return (
            f"<p class=soft>Below each plot, or behind each category: {escape(outcome.shown)} "
            f"there; the line is all rows' ({escape(_level(outcome.level, outcome))}). From a "
            f"sample of {len(outcome.sample):,} rows; all else counts every row.</p>"
        )
    colours = "".join(
        f'<svg viewBox="0 0 8 8" class=swatch><rect class="{drawings.colour(k)}" width="8" '
        f'height="8"/></svg> {escape(name)} '
        for k, name in enumerate(outcome.classes[: drawings.COLOURS])
    )
    return f"<p class='soft key'>{escape(outcome.shown)} in colours: {colours}</p>"


def _rest(profile: Profile, names: Sequence[str]) -> str:
    if not names:
        return ""
    heads = ("column", "#missing", "#distinct", "#least", "#median", "#greatest")
    return (
        f"<details><summary>{len(names)} more columns, which say less</summary>"
        f"{table(heads, _lines(profile, names))}</details>"
    )


def _lines(profile: Profile, names: Sequence[str]) -> Iterator[list[str]]:
    for name in names:
        sketch = profile.sketches[name]
        points = (sketch.min, sketch.quantile(0.5), sketch.max)
        yield [name, share(sketch.missing, sketch.rows), f"{sketch.distinct:,}",
               *(number(p) for p in points)]  # fmt: skip
