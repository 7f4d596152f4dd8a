"""What all pages share: the look, the frame, boxes of figures, tables. No network, no script,
readable on a phone, dark where the reader's device is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

STYLE = """
:root{--ink:#1b1f24;--soft:#667;--line:#dde1e6;--paper:#fff;--base:#aab4c0;--now:#2563eb;--bad:#c2410c}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#9aa4b2;--line:#2c333d;--paper:#12161c;
--base:#566173;--now:#60a5fa;--bad:#fb923c}}
*{box-sizing:border-box}body{margin:0 auto;max-width:60rem;padding:1rem;background:var(--paper);
color:var(--ink);font:16px/1.5 system-ui,sans-serif}h1{font-size:1.3rem;margin:.2rem 0}
h2{font-size:1.05rem;margin:2rem 0 .5rem}p{margin:.4rem 0}.soft{color:var(--soft);font-size:.9rem}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.6rem;
margin:1rem 0}.figures div{border:1px solid var(--line);border-radius:.5rem;padding:.5rem .7rem}
.figures b{display:block;font-size:1.25rem}.bad{color:var(--bad)}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25rem .4rem;
border-bottom:1px solid var(--line);font-size:.9rem}td.n,th.n{text-align:right;
font-variant-numeric:tabular-nums}.wide{overflow-x:auto}.bar{width:30%}svg{display:block;width:100%;height:auto}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(16rem,1fr));gap:1rem}
figure{margin:0;border:1px solid var(--line);border-radius:.5rem;padding:.6rem}
figcaption{font-size:.9rem;margin-bottom:.3rem}.base{fill:var(--base)}.now{fill:var(--now)}
.over{fill:var(--bad)}text{fill:var(--soft);font:9px system-ui,sans-serif}
.key i{display:inline-block;width:.8rem;height:.8rem;border-radius:.2rem;vertical-align:-1px}
"""


def document(title: str, body: str, style: str = "") -> str:
    """A whole page; ``title`` is also its heading, ``style`` is added to the shared one."""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}{style}</style>"
        f"<h1>{escape(title)}</h1>{body}</html>\n"
    )


def boxes(figures: Iterable[tuple[str, str, bool]]) -> str:
    """Figures side by side: name, value, and whether it is a bad one."""
    found = "".join(
        f'<div><span class="soft">{escape(name)}</span>'
        f"<b{' class=bad' if bad else ''}>{escape(value)}</b></div>"
        for name, value, bad in figures
    )
    return f'<div class="figures">{found}</div>'


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Text in a table. A head that begins with # is of a column of numbers."""
    kinds = [' class="n"' if head.startswith("#") else "" for head in heads]
    top = "".join(
        f"<th{k}>{escape(h.removeprefix('#'))}</th>" for h, k in zip(heads, kinds, strict=True)
    )
    body = "".join(
        f"<tr>{''.join(f'<td{k}>{escape(c)}</td>' for c, k in zip(row, kinds, strict=True))}</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><tr>{top}</tr>{body}</table></div>'
