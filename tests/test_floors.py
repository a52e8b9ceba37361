"""The diagram of docs/architecture.md is drawn from the real imports."""

import ast
import re
from graphlib import TopologicalSorter

from tests.test_architecture import ROOT, dotted, imports, modules, part_of

#: Named by nearly everybody, and naming nobody.
EVERYWHERE = {"hrm", "errors", "__version__"}
PAGE = ROOT / "docs" / "architecture.md"


def graph():
    """Parts of hrm that each part imports."""
    found = {}
    for path in modules():
        module = dotted(path)
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        names = imports(ast.parse(path.read_text(encoding="utf-8")), package)
        own = part_of(module)
        others = {each.part for each in names if each.package == "hrm"}
        found.setdefault(own, set()).update(others - EVERYWHERE - {own})
    return {part: others for part, others in found.items() if part not in EVERYWHERE}


def floors():
    """Parts by floor: each stands one above the highest that it imports."""
    known, height = graph(), {}
    for part in TopologicalSorter(known).static_order():  # a circle is an error
        height[part] = 1 + max((height[other] for other in known[part]), default=-1)
    return [sorted(p for p in height if height[p] == k) for k in range(max(height.values()) + 1)]


def drawn():
    """The same, as the page has it; floors from the top downwards."""
    block = re.search(r"```floors\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    rows = [line.split() for line in block.splitlines()]
    assert [row[0] for row in rows] == [str(k) for k in reversed(range(len(rows)))]
    return [row[1:] for row in reversed(rows)]


def test_the_diagram_shows_the_real_floors():
    assert drawn() == floors()


def test_every_part_is_in_the_map():
    text = PAGE.read_text(encoding="utf-8")
    for part in graph():
        if part != "__main__":
            assert f"hrm/{part}" in text, part
