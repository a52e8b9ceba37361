"""The README's examples run as they stand."""

import re

import hrm
from tests.pages import ROOT, blocks, run

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_its_blocks_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run("README.md", tmp_path)
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

    (windows,) = [block.text for block in blocks("README.md") if block.kind == "powershell"]
    assert commands(windows) == commands(MAKEFILE)
    assert len(commands(windows)) == 2


def test_it_is_short():
    assert README.count("\n") <= 100
    assert hrm.__version__ in README
