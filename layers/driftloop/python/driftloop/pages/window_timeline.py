"""Versions and decisions before a window's end, as a band that is read at any width, and a list."""

from __future__ import annotations

from html import escape

from driftloop.entries import sentence
from driftloop.timeline import STARTED, Mark, Timeline
from driftloop.when import parse

MOST = 15
"""Newest entries that are listed; the others are counted."""

STYLE = """
.band{position:relative;height:1.7rem;margin-top:.2rem;border-radius:.3rem;overflow:hidden;
background:var(--line)}
.band span{position:absolute;top:0;bottom:0;padding:.1rem .4rem;font-size:.8rem;color:#fff;
overflow:hidden;border-left:2px solid var(--paper);background:#64748b}
.band span.odd{background:#475569}.band span.last{background:#1d4ed8}
.marks{position:relative;height:.9rem}.marks i{position:absolute;width:.6rem;height:.6rem;
top:.2rem;margin-left:-.3rem;border-radius:50%;background:var(--now)}
.marks i.held{background:none;border:1.5px solid var(--soft)}.marks i.back{background:var(--bad)}
.key i.dot{border-radius:50%;background:var(--now);width:.6rem;height:.6rem;vertical-align:0}
.log{list-style:none;padding:0;margin:.8rem 0}.log li{display:flex;gap:.6rem;padding:.15rem 0;
font-size:.9rem}.log time{color:var(--soft);white-space:nowrap;font-variant-numeric:tabular-nums}
"""

WORDS = {
    "promote": "Version {} became champion",
    "rollback": "Version {} answers again",
    "register": "Version {} was registered",
    "withdraw": "The release was withdrawn",
    "abort": "The release was aborted",
}
QUIET = ("register", "advance")  # part of a release whose end is told


def drawn(line: Timeline) -> str:
    """The section; nothing where there is nothing to tell."""
    told = [mark for mark in line.marks if mark.what not in QUIET]
    if not line.reigns and not told:
        return ""
    begin = parse(line.start)
    span = (parse(line.end) - begin).total_seconds() or 1.0

    def at(moment: str) -> float:
        return (parse(moment) - begin).total_seconds() / span * 100

    bands = "".join(
        f'<span class="{"last" if reign is line.reigns[-1] else "odd" if i % 2 else "even"}" '
        f'style="left:{at(reign.start):.2f}%;width:{at(reign.end) - at(reign.start):.2f}%" '
        f'title="version {reign.version}: {_day(reign.start)} to {_day(reign.end)}">'
        f"v{reign.version}</span>"
        for i, reign in enumerate(line.reigns)
    )
    dots = "".join(
        f'<i class="{_kind(mark)}" style="left:{at(mark.time):.2f}%" '
        f'title="{escape(f"{_day(mark.time)} {words(mark)}")}"></i>'
        for mark in told
    )
    return (
        "<h2>What led up to it</h2><p class='soft key'>Who answered, to the window's end; "
        "<i class=dot></i> what was decided, hollow where nothing was started.</p>"
        f"<div class=marks>{dots}</div><div class=band>{bands}</div>"
        f"<p class=ends><span>{_day(line.start)}</span><span>{_day(line.end)}</span></p>"
        f"{_log(told)}"
    )


def words(mark: Mark) -> str:
    """``Version 3 became champion. It is better.``, ``drift, suppressed 3 times. Cooling down.``"""
    if mark.cause:
        times = f" {mark.times} times" if mark.times > 1 else ""
        return f"{mark.cause}, {mark.what}{times}. {mark.why}"
    what = WORDS.get(mark.what, f"Release of version {{}} ({mark.what.replace('_', '/')})")
    return f"{what.format(mark.version)}. {sentence(mark.why)}"


def _log(told: list[Mark]) -> str:
    lines = "".join(
        f"<li><time>{_day(mark.time)}{_until(mark)}</time><span>{escape(words(mark))}</span></li>"
        for mark in told[::-1][:MOST]
    )
    more = len(told) - MOST
    earlier = f"<p class=soft>and {more} before</p>" if more > 0 else ""
    return f"<ul class=log>{lines}</ul>{earlier}"


def _until(mark: Mark) -> str:
    return f" to {mark.last[5:10]}" if mark.last[:10] > mark.time[:10] else ""


def _kind(mark: Mark) -> str:
    if mark.what in ("rollback", "withdraw", "abort"):
        return "back"
    return "held" if mark.cause and mark.what != STARTED else "done"


def _day(moment: str) -> str:
    return moment[:10]
