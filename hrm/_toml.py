"""TOML that a user wrote, parsed in bounded time: `load_toml_bounded`.

Of a text made to harm, the parser of the standard library takes time that grows with the
square of the parts of a key (60 kB: 20 s); what no file of hrm needs is refused before.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from hrm.errors import FormatError

#: Longest file that is parsed; read one byte more of it, so that a longer one is seen.
MOST_BYTES = 1 << 20
#: Most parts of a key, like the two of ``pressure.unit``.
MOST_KEY_PARTS = 8

# Strings and comments: what they hold is no key, but a string in quotes may be a part of one.
# Each alternative ends at the latest where the text does, so that the whole is read once.
_OPAQUE = re.compile(
    r'"""(?:[^\\]|\\.)*?(?:"{3,5}|\Z)|'
    r"'''.*?(?:'{3,5}|\Z)|"
    r'"(?:[^"\\\n]|\\.)*(?:"|(?=\n)|\\?\Z)|'
    r"'[^'\n]*(?:'|(?=\n)|\Z)|"
    r"\#[^\n]*",
    re.DOTALL,
)
_LONG_KEY = re.compile(rf"(?:\.[ \t]*+[\w-]++[ \t]*+){{{MOST_KEY_PARTS}}}")


def load_toml_bounded(text: str | bytes, *, path: Path | None = None) -> dict[str, Any]:
    r"""Parse a TOML file of the user; nothing of it is quoted in an error.

    Parameters
    ----------
    text : str or bytes
        The content; bytes are UTF-8, with or without byte order mark.
    path : Path, optional
        Where it is from, for the user's terminal only.

    Returns
    -------
    dict

    Raises
    ------
    FormatError
        If it is not TOML, longer than `MOST_BYTES`, or has a key of more than
        `MOST_KEY_PARTS` parts; says where, and carries the path.

    Examples
    --------
    >>> load_toml_bounded(b"\xef\xbb\xbf[pressure]\nunit = 'mmHg'\n")
    {'pressure': {'unit': 'mmHg'}}
    """
    tables, fault = _parsed(text)
    # Outside any except block: the text of the cause may quote the file.
    if fault:
        raise FormatError(
            f"the file is not TOML ({fault})", path=None if path is None else str(path)
        )
    return tables


def _parsed(text: str | bytes) -> tuple[dict[str, Any], str]:
    """Tables of a text, and what is wrong with it; empty if nothing is."""
    if len(text) > MOST_BYTES:
        return {}, f"it is too long: more than {MOST_BYTES >> 20} MB"
    try:
        plain = text.decode("utf-8") if isinstance(text, bytes) else text
        plain = plain.removeprefix("\ufeff")
        fault = _long_key(plain)
        return ({}, fault) if fault else (tomllib.loads(plain), "")
    except UnicodeDecodeError as err:
        return {}, f"byte {err.start} is not UTF-8"
    except tomllib.TOMLDecodeError as err:
        return {}, _place_of(err)
    except RecursionError:
        return {}, "it has brackets within brackets without end"
    except ValueError:
        return {}, "it has a number of very many digits"


def _long_key(text: str) -> str:
    """Say where a key of too many parts is; empty if none is."""
    bare = _OPAQUE.sub(_stand_in, text)
    found = _LONG_KEY.search(bare)
    if found is None:
        return ""
    line = bare.count("\n", 0, found.start()) + 1
    return f"at line {line}: tables within tables, a key of more than {MOST_KEY_PARTS} parts"


def _stand_in(found: re.Match[str]) -> str:
    # The lines stay as they are, so that they can be counted.
    lines = "\n" * found.group().count("\n")
    return lines if found.group().startswith("#") else f"s{lines}"


def _place_of(err: tomllib.TOMLDecodeError) -> str:
    # The message is "what (at line 3, column 7)"; its first part may quote a key.
    place = str(err).rpartition("(")[2].rstrip(")")
    return place if place.startswith("at ") else "somewhere"
