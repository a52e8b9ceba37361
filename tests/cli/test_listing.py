"""The list of subcommands says what each says of itself, and imports none of them."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from hrm.cli._listing import SHORT_HELP
from hrm.cli.main import _COMMANDS, main


@pytest.mark.parametrize("name", _COMMANDS)
def test_each_sentence_is_that_of_the_command(name):
    command = main.get_command(click.Context(main), name)
    assert SHORT_HELP.get(name) == command.get_short_help_str(200)


@pytest.mark.parametrize("width", [60, 100, 160])
def test_the_list_is_that_of_click(monkeypatch, width):
    def shown():
        return CliRunner().invoke(main, ["--help"], terminal_width=width, max_content_width=width)

    seen = shown()
    monkeypatch.setattr(type(main), "format_commands", click.Group.format_commands)
    assert seen.exit_code == 0
    assert seen.output == shown().output
    assert all(name in seen.output for name in _COMMANDS)


def test_the_list_imports_no_command():
    code = (
        "import sys; from hrm.cli.main import main; main(['--help'], standalone_mode=False); "
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "hrm.cli.main" in loaded
    for name in ("analyze", "info", "_options"):
        assert f"hrm.cli.{name}" not in loaded
    assert not loaded & {"numpy", "hrm.catalog", "tomllib"}
