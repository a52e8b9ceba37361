"""The page's modules as one script: what is opened from a disk cannot import by path.

Every module becomes a function that gives what it exports, in an order in which each comes
after those it imports. Only the plain forms that the modules of this project use are known;
anything else is refused, so that nothing is joined wrongly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from hrm.errors import SchemaError

_IMPORT = re.compile(r'^import \{ ([\w$, ]+) \} from "\./([\w-]+)\.js";$')
_EXPORT = re.compile(r"^export ((?:async )?function\*?|const|class) ([\w$]+)")
_COMMENT = re.compile(
    r"^[ \t]*/\*\*(?:(?!\*/).)*\*/[ \t]*\n|^[ \t]*//[^\n]*\n", re.DOTALL | re.MULTILINE
)
#: What would end the script, or begin a comment of HTML in it.
_UNSAFE = re.compile(r"</script|<!--|<script", re.IGNORECASE)


@cache
def asset(name: str) -> str:
    """Read a file of the page."""
    return (files("hrm") / "report" / "static" / name).read_text(encoding="utf-8")


def script() -> str:
    """Give the script of a report as a page; the same for every study."""
    picture = _joined(_modules("report"), "report")
    boot = _joined(_modules("boot"), "boot")
    text = (
        f'"use strict";\n(() => {{\nconst make = () => {{\n{picture}}};\n'
        f"const page = (() => {{\n{boot}}})();\npage.boot(make);\n}})();\n"
    )
    if _UNSAFE.search(text):
        raise SchemaError("the script of the page holds what would end it early")
    return text


def _modules(entry: str) -> dict[str, str]:
    """Texts of a module and of all that it needs, each after those it imports."""
    out: dict[str, str] = {}
    _collect(entry, out, ())
    return out


def _collect(name: str, out: dict[str, str], above: tuple[str, ...]) -> None:
    if name in above:
        raise SchemaError(f"modules of the page import each other in a circle: {name}")
    if name in out:
        return
    text = asset(f"{name}.js")
    for line in text.splitlines():
        found = _IMPORT.match(line)
        if found:
            _collect(found[2], out, (*above, name))
    out[name] = text


def _joined(modules: Mapping[str, str], entry: str) -> str:
    parts = [
        f"const ${name} = (() => {{\n{wrapped(text)}}})();\n" for name, text in modules.items()
    ]
    return f"{''.join(parts)}return ${entry};\n"


def wrapped(text: str) -> str:
    """Turn a module into the body of a function that gives what it exports.

    Parameters
    ----------
    text : str
        Of a module whose imports stand on a line each, and which exports declarations.

    Raises
    ------
    SchemaError
        If it imports or exports in a form that is not known.
    """
    lines, names = [], []
    for line in _COMMENT.sub("", text).splitlines():
        imported, exported = _IMPORT.match(line), _EXPORT.match(line)
        if imported:
            wanted = imported[1].replace(" as ", ": ")
            lines.append(f"const {{ {wanted} }} = ${imported[2]};")
        elif exported:
            names.append(exported[2])
            lines.append(line.removeprefix("export "))
        elif re.match(r"\s*(import|export)\b", line):
            raise SchemaError(f"a form of import or export that cannot be joined: {line.strip()}")
        elif line.strip():
            lines.append(line)
    return "\n".join([*lines, f"return {{ {', '.join(names)} }};", ""])
