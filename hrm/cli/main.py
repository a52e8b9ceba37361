"""Entry point of the command line: the subcommands, and what a failure looks like.

Exit codes: 0 done, 2 unusable input (also a wrong option), 1 an unexpected fault.
Standard output is data, standard error is talk.
"""

from __future__ import annotations

import os
import sys
import warnings
from importlib import import_module
from typing import Any, TextIO

import click

from hrm import __version__
from hrm.cli._listing import SHORT_HELP
from hrm.errors import FormatError, HrmError, HrmWarning

#: Module of each subcommand, in the order in which they are listed.
_COMMANDS = {
    "info": "hrm.cli.info",
    "analyze": "hrm.cli.analyze",
    "view": "hrm.cli.view",
    "explain": "hrm.cli.explain",
    "quality": "hrm.cli.quality",
    "report": "hrm.cli.report",
    "review": "hrm.cli.review",
    "worklist": "hrm.cli.worklist",
    "audit": "hrm.cli.audit",
    "export": "hrm.cli.export",
    "batch": "hrm.cli.batch",
    "results": "hrm.cli.results",
    "batch-report": "hrm.cli.batch_report",
    "compare": "hrm.cli.compare",
    "convert": "hrm.cli.convert",
    "deidentify": "hrm.cli.deidentify",
    "catheters": "hrm.cli.catheters",
    "formats": "hrm.cli.formats",
    "metrics": "hrm.cli.metrics",
    "layout": "hrm.cli.layout",
    "phantom": "hrm.cli.phantom",
    "trial": "hrm.cli.trial",
    "warm": "hrm.cli.warm",
}


class Unusable(click.ClickException):
    """Input that cannot be used; the user can do something about it."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Write the message to standard error."""
        click.echo(f"hrm: error: {self.format_message()}", file=file, err=True)


class UnexpectedFault(Unusable):
    """A fault of hrm itself."""

    exit_code = 1


class _Commands(click.Group):
    """Subcommands that are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(_COMMANDS[cmd_name]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands; to import them all for a sentence each takes long."""
        limit = formatter.width - 6 - max(map(len, _COMMANDS))
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._sentence(ctx, name, limit)) for name in _COMMANDS])

    def _sentence(self, ctx: click.Context, name: str, limit: int) -> str:
        known = click.Command(name, help=SHORT_HELP[name]) if name in SHORT_HELP else None
        command = known or self.get_command(ctx, name)
        return "" if command is None else command.get_short_help_str(limit)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a subcommand; whatever it raises becomes a message and an exit code."""
        _never_fail_on_a_character(sys.stdout)
        with warnings.catch_warnings():
            warnings.filterwarnings("always", category=HrmWarning)
            warnings.showwarning = _show_warning
            try:
                return super().invoke(ctx)
            except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
                raise
            except (HrmError, OSError, UnicodeError) as err:
                if _debugging():
                    raise
                raise Unusable(_spelled(_in_words(err))) from err
            except Exception as err:
                if _debugging():
                    raise
                raise UnexpectedFault(
                    f"unexpected fault ({type(err).__name__}). This is a fault of hrm, please "
                    "report it; run with HRM_DEBUG=1 for the traceback, and look that nothing in "
                    "it identifies a patient"
                ) from err


def _debugging() -> bool:
    return os.environ.get("HRM_DEBUG", "") not in ("", "0")


def _spelled(message: str) -> str:
    from hrm.cli._spelling import as_options  # it knows the options, which take long to import

    return as_options(message)


def _in_words(err: Exception) -> str:
    """Message of a fault in the input; only here, on the terminal, with the user's path."""
    path, text = None, str(err)
    if isinstance(err, FormatError):
        path = err.path
    elif isinstance(err, OSError) and err.strerror:
        path, text = err.filename, err.strerror.lower()
    elif isinstance(err, UnicodeError):
        text = "a text is not valid Unicode; save the file as UTF-8"
    return f"{click.format_filename(path)}: {text}" if path else text


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001 - the signature of warnings.showwarning
    line: str | None = None,  # noqa: ARG001
) -> None:
    if issubclass(category, HrmWarning):
        click.echo(f"hrm: warning: {_spelled(str(message))}", err=True)
    elif _debugging():
        click.echo(f"{filename}:{lineno}: {category.__name__}: {message}", err=True)


def _never_fail_on_a_character(stream: Any) -> None:
    # A terminal with an old code page shows a question mark rather than end the run.
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="hrm")
def main() -> None:
    """High-resolution manometry: from a recording to metrics and figures.

    For research only; not a medical device. Exit codes: 0 done, 2 unusable input,
    1 an unexpected fault.
    """
