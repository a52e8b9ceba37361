"""The README's examples run as they stand."""

import re
from pathlib import Path

import hrm

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_python_example_runs(monkeypatch):
    monkeypatch.chdir(ROOT)
    (example,) = blocks("python")
    names: dict[str, object] = {}
    exec(compile(example, "README.md", "exec"), names)
    table = names["table"]
    assert isinstance(table, dict)
    assert [row["type"] for row in table["swallows"]] == ["normal"] * 3
    assert table["study"]["irp4s_median_supine_mmhg"] < 15
    assert names["own"]["pressure"].sizes["sensor"] == 36


def test_the_lines_for_windows_are_those_of_the_demo():
    def commands(text: str) -> list[str]:
        joined = text.replace("\\\n", " ")
        found = re.findall(r"hrm (analyze examples/.*)", joined)
        return [" ".join(line.split()).replace("$(DEMO)", "demo-output") for line in found]

    (windows,) = blocks("powershell")
    assert commands(windows) == commands(MAKEFILE)
    assert len(commands(windows)) == 2


def test_it_is_short():
    assert README.count("\n") <= 100
    assert hrm.__version__ in README
