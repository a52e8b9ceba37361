"""Messages in the spelling of the command line: ``--catheter`` for ``catheter=``.

An error or warning names a parameter as Python writes it, ``name=`` or ``name=value``. The
same message at the command line names the option by which the user gives it.
"""

from __future__ import annotations

import re

import click

from hrm.cli._options import reading_parameters

# Not a part of a longer name, and not of an assignment with blanks around its mark.
_PARAMETER = re.compile(r"(?<![\w.'\"-])([a-z][a-z_]*)=(?:\"([\w-]+)\"|([A-Za-z0-9][\w-]*))?(?!=)")
#: Parameters of functions that the command line calls by another name.
_RENAMED = {"overwrite": "--force", "keep_phi": "--keep-identity"}


def as_options(message: str) -> str:
    """Write a message of the library as the running command would.

    Parameters
    ----------
    message : str

    Returns
    -------
    str
        Names that are no option stay as they are.
    """
    known = _options()

    def spelled(found: re.Match[str]) -> str:
        name, *values = found.groups()
        option = known.get(name)
        if option is None:
            return found.group()
        value = next((value for value in values if value), None)
        # A flag is given by its name alone.
        return option if value in (None, "True") else f"{option} {value}"

    return _PARAMETER.sub(spelled, message)


def _options() -> dict[str, str]:
    """Options by the names of their parameters: those of reading, then the command's own."""
    context = click.get_current_context(silent=True)
    command = None if context is None else context.command
    if isinstance(command, click.Group) and context is not None and context.invoked_subcommand:
        command = command.get_command(context, context.invoked_subcommand)
    own = () if command is None else command.params
    return _RENAMED | {
        each.name: max(each.opts, key=len)
        for each in (*reading_parameters(), *own)
        if isinstance(each, click.Option) and each.name
    }
