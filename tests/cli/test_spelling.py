"""A message names a parameter as Python does, and at the command line as its option."""

import ast
import re
from pathlib import Path

import pytest

import hrm.io
from hrm.cli._spelling import as_options
from hrm.errors import FormatError, ParameterError

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("message", "spelled"),
    [
        (
            "name the catheter with catheter=, or depths=",
            "name the catheter with --catheter, or --depths",
        ),
        ("of your own: catheter_file=. Known", "of your own: --catheter-file. Known"),
        ('refused; strictness="warn" reads it', "refused; --strictness warn reads it"),
        ("pass overwrite=True to replace it", "pass --force to replace it"),
        ("pass reader= to choose", "pass --reader to choose"),
        ("leave dims= out; see irp.window_s=10", "leave dims= out; see irp.window_s=10"),
        ("a layout == b, x.layout=3, 'layout='", "a layout == b, x.layout=3, 'layout='"),
    ],
)
def test_a_parameter_becomes_an_option(message, spelled):
    assert as_options(message) == spelled


def test_in_python_and_at_the_command_line_each_its_own(mms, run):
    with pytest.raises(ParameterError) as caught:
        hrm.io.open_recording(mms)
    for name in ("catheter", "depths", "catheter_file"):
        assert f"{name}=" in str(caught.value)
    assert "--catheter" not in str(caught.value).replace("'hrm catheters --", "")
    done = run("analyze", mms)
    assert done.exit_code == 2
    for name in ("--catheter", "--depths", "--catheter-file"):
        assert name in done.stderr
    assert not re.search(r"[a-z]=", done.stderr)


def test_a_name_that_the_running_command_has_is_its_own(mms, run, tmp_path):
    content = mms.read_bytes()
    (tmp_path / "cut.csv").write_bytes(content[:-20])
    with pytest.raises(FormatError, match='strictness="warn"'):
        hrm.io.open_recording("cut.csv", catheter="CE4-0062")
    for command in (("analyze", "cut.csv"), ("convert", "cut.csv", "a.nc")):
        done = run(*command, "--catheter", "CE4-0062")
        assert done.exit_code == 2
        assert "--strictness warn" in done.stderr


def test_a_warning_is_spelled_too(run, table, mms, monkeypatch):
    import warnings

    from hrm.errors import ProvenanceWarning

    def warned(path):
        warnings.warn("say catheter= instead", ProvenanceWarning, stacklevel=1)
        return []

    monkeypatch.setattr(hrm.io, "archive_members", warned)
    assert "say --catheter instead" in run("info", mms).stderr


def _texts(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


@pytest.mark.parametrize("folder", ["io", "preprocess", "detect", "metrics", "pipeline"])
def test_no_message_of_the_library_has_both_spellings(folder):
    found = [
        f"{path.name}:{line}"
        for path in sorted((ROOT / "hrm" / folder).rglob("*.py"))
        for line, text in _texts(path)
        if re.search(r"\(--[a-z]", text)
    ]
    assert found == []
