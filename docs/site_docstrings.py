"""Choices in a docstring, as the site shows them.

numpydoc takes the first of ``{"a", "b"}`` for the default; here the signature says what that is.
"""

import re
from typing import Any

from griffe import Extension, Function

_CHOICES = re.compile(r"^(\s*[\w, ]+ : )\{([^}\n]*)\}", flags=re.MULTILINE)


class Choices(Extension):
    """Write the choices without braces, before the docstring is parsed."""

    def on_function_instance(self, *, func: Function, **_: Any) -> None:
        """Change the text of one function."""
        if func.docstring is not None:
            func.docstring.value = _CHOICES.sub(r"\1one of \2", func.docstring.value)
