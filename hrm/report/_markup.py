"""Texts of a report as HTML; whatever is written has been escaped here."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

Pair = tuple[str, str]


def section(name: str, heading: str, *parts: str) -> str:
    """Write a section under its heading."""
    body = "\n".join(part for part in parts if part)
    return (
        f'<section aria-labelledby="{name}">\n'
        f'<h2 id="{name}">{escape(heading)}</h2>\n{body}\n</section>'
    )


def paragraph(text: str, kind: str = "") -> str:
    """Write a paragraph; nothing for no text."""
    name = f' class="{kind}"' if kind else ""
    return f"<p{name}>{escape(text)}</p>" if text else ""


def bullets(texts: Iterable[str]) -> str:
    """Write a list; nothing for an empty one."""
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<ul>{items}</ul>" if items else ""


def pairs(rows: Iterable[Pair], caption: str, *, shown: bool = False) -> str:
    """Write labels and values as a table whose rows have headers."""
    body = "".join(
        f'<tr><th scope="row">{escape(label.strip())}</th><td>{escape(value)}</td></tr>\n'
        for label, value in rows
    )
    name = "" if shown else ' class="hidden"'
    return (
        f'<table class="pairs"><caption{name}>{escape(caption)}</caption>'
        f"<tbody>\n{body}</tbody></table>"
    )


def grid(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """Write a table of cells, which are HTML already; the first of a row is its header.

    Parameters
    ----------
    caption : str
        For who cannot see the table.
    heads : sequence of str
        Whole cells too, see `column`.
    rows : iterable of sequence of str
        Whole cells, with their tags.
    kind : str
        Class of the table.
    """
    head = "".join(heads)
    body = "".join(f"<tr>{''.join(cells)}</tr>\n" for cells in rows)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}: table">'
        f'<table class="{kind}"><caption class="hidden">{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></div>"
    )


def column(label: str, unit: str = "", kind: str = "") -> str:
    """Write the head of a column."""
    name = f' class="{kind}"' if kind else ""
    small = f"<small>{escape(unit)}</small>" if unit else ""
    return f'<th scope="col"{name}>{escape(label)}{small}</th>'


def cell(text: str, kind: str = "", *, tag: str = "td", more: str = "") -> str:
    """Write one cell."""
    name = f' class="{kind}"' if kind else ""
    scope = ' scope="row"' if tag == "th" else ""
    return f"<{tag}{scope}{name}{more}>{escape(text)}</{tag}>"


def picture(content: bytes, text: str) -> str:
    """Put a WebP picture into the page, with the words for who does not see it."""
    data = base64.b64encode(content).decode("ascii")
    return f'<img alt="{escape(text)}" src="data:image/webp;base64,{data}">'
