"""Pages that stand alone: one HTML file with style and pictures in it, and nothing fetched."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

RESEARCH_USE = "For research use only, not for diagnosis or treatment."
#: The page needs nothing from elsewhere, and a browser is told to fetch nothing.
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
)
_STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; color: #1c1c1c; max-width: 66rem;
       margin: 1.5rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem;
     border-bottom: 1px solid #999; } h3 { font-size: 1rem; margin-bottom: .3rem; }
table { border-collapse: collapse; margin: .5rem 0 1rem; }
th, td { border: 1px solid #bbb; padding: .2rem .5rem; text-align: right; vertical-align: top; }
th { background: #f0f0f0; } th[scope=row], td.text { text-align: left; }
td.equal { font-weight: bold; outline: 1px solid #444; outline-offset: -2px; }
img { max-width: 100%; height: auto; } .note { color: #444; }
section { break-inside: avoid; } .wide { overflow-x: auto; }
@media print { body { margin: 0; max-width: none; font-size: 10pt; } a { color: inherit; } }
"""


def document(title: str, body: Iterable[str], *, style: str = "") -> str:
    """Write a page.

    Parameters
    ----------
    title : str
        Plain text; also the heading.
    body : iterable of str
        HTML; what is not trusted in it has been escaped.
    style : str
        CSS beside that of every page.

    Returns
    -------
    str
        With no script, and nothing from elsewhere.
    """
    head = escape(title)
    return "\n".join(
        (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
            _POLICY,
            f"<title>{head}</title><style>{_STYLE}{style}</style></head><body>",
            f"<h1>{head}</h1>",
            *body,
            "</body></html>\n",
        )
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table of cells that are HTML; the first of each row names it."""
    head = "".join(f'<th scope="col">{cell}</th>' for cell in heads)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>{"".join(f"<td>{cell}</td>" for cell in row[1:])}</tr>'
        for row in rows
    )
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def image(picture: bytes, text: str) -> str:
    """Put a PNG into the page, with the words for who does not see it."""
    data = base64.b64encode(picture).decode("ascii")
    return f'<img alt="{escape(text)}" src="data:image/png;base64,{data}">'
