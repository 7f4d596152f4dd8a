"""A model card's Markdown as a page: headings, paragraphs, lists, tables, ``code``. No more of
Markdown than :mod:`driftloop.card` writes; everything else stays as it is, escaped."""

from __future__ import annotations

import re
from html import escape

from driftloop.pages import look

_CODE = re.compile(r"`([^`]+)`")
_CELLS = re.compile(r"(?<!\\)\|")


def page(text: str) -> str:
    """Its first heading is the page's."""
    blocks = [block for block in text.strip().split("\n\n") if block]
    title = blocks.pop(0).removeprefix("# ")
    return look.document(title, "".join(map(_block, blocks)), "code{overflow-wrap:anywhere}")


def _block(block: str) -> str:
    if block.startswith("## "):
        return f"<h2>{_inline(block[3:])}</h2>"
    lines = block.splitlines()
    if block.startswith("| "):
        return _table([_row(line) for line in lines])
    if block.startswith("- "):
        return f"<ul>{''.join(f'<li>{_inline(line[2:])}</li>' for line in lines)}</ul>"
    return f"<p>{_inline(block)}</p>"


def _table(rows: list[list[str]]) -> str:
    head, _, *body = rows
    top = "".join(f"<th>{_inline(cell)}</th>" for cell in head) if any(head) else ""
    lines = "".join(f"<tr>{''.join(f'<td>{_inline(c)}</td>' for c in row)}</tr>" for row in body)
    return f'<div class="wide"><table><tr>{top}</tr>{lines}</table></div>'


def _row(line: str) -> list[str]:
    cells = _CELLS.split(line.strip()[1:-1])
    return [cell.strip().replace("\\|", "|") for cell in cells]


def _inline(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text))
