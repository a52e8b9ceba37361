"""What the site has beside the pages of docs/: pages made from the code, and linked files.

MkDocs calls the functions named ``on_…``. Pages link to files of the repository as the
repository's own view needs it (``../hrm/data/limits.toml``); the site gets a copy of each such
file under ``source/``, and the link is turned there. So one text serves both.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pygments.formatters import HtmlFormatter
from site_pictures import FAMILIES, PICTURE_OF, picture, study

from hrm import catalog
from hrm.cli._metric_pages import page_of
from hrm.cli.main import main

ROOT = Path(__file__).resolve().parent.parent
#: Pages of the repository's first floor that the site shows too.
ROOT_PAGES = ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")

_FENCE = re.compile(r"^ *(`{3,})")
_LINK = re.compile(r"(\]\()([^)\s]+)(\))")
_NESTED = re.compile(r"^ {2,3}(?=([-*]|\d+\.) )")
#: A section of the catalogue up to its definition, which is one line.
_METRIC = re.compile(r"^## (\w+)\n\n\*\*.*\n\n.*\n", flags=re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages and every file that a page links to."""
    made = {
        "reference/cli.md": command_line(),
        "reference/limits.md": limits(),
        "reference/parameters.md": parameters(),
        "pygments.css": HtmlFormatter(style="default").get_style_defs(".highlight"),
    }
    for uri, content in made.items():
        files.append(File.generated(config, uri, content=content))
    config.extra_css.append("pygments.css")
    analyzed = study()
    for name in FAMILIES:
        uri = f"metrics/pictures/{name}.webp"
        files.append(File.generated(config, uri, content=picture(analyzed, name)))
    texts = [(f"docs/{file.src_uri}", file.content_string) for file in files.documentation_pages()]
    for path in _linked(texts):
        files.append(File.generated(config, _uri(path), abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Turn links to the repository's files, and nest lists as Markdown in Python wants it."""
    here = _repository_path(page.file.src_uri)
    if page.file.src_uri.startswith("metrics/"):
        markdown = _METRIC.sub(_shown, markdown)

    def turned(link: re.Match[str]) -> str:
        path, hash_, anchor = link[2].partition("#")
        target = _target(here, path)
        if target is None:
            return link[0]
        way = posixpath.relpath(_uri(target), posixpath.dirname(page.file.src_uri) or ".")
        return f"{link[1]}{way}{hash_}{anchor}{link[3]}"

    lines = (
        line if code else _LINK.sub(turned, _NESTED.sub("    ", line))
        for line, code in _lines(markdown)
    )
    return "\n".join(lines)


def _shown(section: re.Match[str]) -> str:
    """Add the picture of a metric to its section, or where in its family the picture is."""
    name = section[1]
    held = PICTURE_OF.get(name)
    if held is None:
        return section[0]
    if held == name:
        text = f"![{name}, with the marks that it was measured by](pictures/{name}.webp)"
    else:
        page = page_of(held) if page_of(held) != page_of(name) else ""
        text = f"Picture: at [{held}]({page}#{held})."
    return f"{section[0]}\n{text}\n"


def command_line() -> str:
    """Write the reference of the command line from the parsers themselves."""
    lines = [
        "# Command line",
        "",
        "What each command prints for `--help`, made from the program when this site was built.",
        (
            "Exit codes: 0 done, 2 unusable input (also a wrong option), 1 an unexpected fault; "
            "`hrm batch` ends with 3 if some recordings failed."
        ),
        "",
    ]
    for name, text in _helps(main, "hrm"):
        lines += [f"## {name}", "", "```text", text.rstrip(), "```", ""]
    return "\n".join(lines)


def limits() -> str:
    """Write the table of limits, one section a system."""
    lines = [
        "# Limits by system",
        "",
        (
            "Made from [limits.toml](../../hrm/data/limits.toml); the sign says when a number is beyond "
            "the limit. What a confidence means stands in "
            "[references](../references.md#how-sure-we-are); a row that is no default is used only if "
            "you name it (`hrm analyze --irp-limit ID`)."
        ),
        "",
    ]
    rows = catalog.limit_table()
    names = {key: system.name for key, system in catalog.systems().items()}
    for key in dict.fromkeys(row.system for row in rows):
        lines += [f"## {names.get(key, 'Every system')}", ""]
        if key in names:
            lines += [f"`--system {key}`", ""]
        lines += _table(
            ("Quantity", "Position", "Version", "Limit", "Source", "Confidence", "Default", "Row"),
            (_limit_cells(row) for row in rows if row.system == key),
        )
    return "\n".join(lines)


def _limit_cells(row: catalog.Limit) -> tuple[str, ...]:
    unit = "" if row.unit == "1" else f" {row.unit}"
    return (
        *(f"`{row.quantity}`", row.position, row.cc_version),
        *(f"{row.comparator} {row.value:g}{unit}", row.citation, f"`{row.confidence}`"),
        *("yes" if row.default else "no", f"`{row.id}`" + (f": {row.note}" if row.note else "")),
    )


def parameters() -> str:
    """Write the table of parameters."""
    lines = [
        "# Parameters",
        "",
        (
            "Made from [parameters.toml](../../hrm/data/parameters.toml). `hrm analyze --set KEY=VALUE` "
            "changes one for a run, and every result names what was changed."
        ),
        "",
        *_table(
            ("Key", "Value", "May be", "What it is", "Source", "Confidence"),
            (_parameter_cells(row) for row in catalog.parameter_table().values()),
        ),
    ]
    return "\n".join(lines)


def _parameter_cells(row: catalog.Parameter) -> tuple[str, ...]:
    value = f"{row.value:g}" if isinstance(row.value, float) else str(row.value)
    unit = "" if row.unit == "1" else f" {row.unit}"
    return (
        *(f"`{row.key}`", f"{value}{unit}", row.allowed),
        *(row.text, row.source, f"`{row.confidence}`"),
    )


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> list[str]:
    lines = [head, tuple("---" for _ in head), *rows]
    cells = ([cell.replace("|", "\\|").replace("<", "&lt;") for cell in line] for line in lines)
    return [*(f"| {' | '.join(line)} |" for line in cells), ""]


def _helps(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
    context = click.Context(command, info_name=name, terminal_width=100, max_content_width=100)
    yield name, command.get_help(context)
    if isinstance(command, click.Group):
        for word in command.list_commands(context):
            part = command.get_command(context, word)
            if part is not None and not part.hidden:
                yield from _helps(part, f"{name} {word}")


def _lines(markdown: str) -> Iterator[tuple[str, bool]]:
    """Lines of a page, and whether each belongs to a fenced block."""
    fence = ""
    for line in markdown.split("\n"):
        mark = _FENCE.match(line)
        yield line, bool(fence or mark)
        if mark and not fence:
            fence = mark[1]
        elif mark and line.strip() == fence:
            fence = ""


def _linked(texts: list[tuple[str, str]]) -> list[str]:
    """Files outside docs/ that pages, and the pages among them, link to."""
    found: dict[str, None] = {}
    waiting = [*texts, *((name, (ROOT / name).read_text("utf-8")) for name in ROOT_PAGES)]
    found.update(dict.fromkeys(ROOT_PAGES))
    while waiting:
        here, text = waiting.pop()
        for line, code in _lines(text):
            for link in () if code else _LINK.findall(line):
                target = _target(here, link[1].partition("#")[0])
                if target is None or target in found or not _uri(target).startswith("source/"):
                    continue
                found[target] = None
                if target.endswith(".md"):
                    waiting.append((target, (ROOT / target).read_text("utf-8")))
    return sorted(found)


def _target(here: str, link: str) -> str | None:
    """Path in the repository of what a page links to; a folder stands for its README."""
    if not link or "://" in link or link.startswith(("/", "mailto:")):
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(here), link))
    if (ROOT / path).is_dir():
        path += "/README.md"
    return path if (ROOT / path).is_file() else None


def _repository_path(uri: str) -> str:
    return uri.removeprefix("source/") if uri.startswith("source/") else f"docs/{uri}"


def _uri(path: str) -> str:
    shown = path.startswith("docs/") and not path.endswith(".py")
    return path.removeprefix("docs/") if shown else f"source/{path}"


def on_config(config: MkDocsConfig) -> Mapping[str, Any]:
    """Name the version on every page."""
    from hrm import __version__

    config.site_name = f"hrm {__version__}"
    return config
