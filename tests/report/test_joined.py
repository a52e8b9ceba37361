"""Modules as one script: each after those it needs, and no form is joined that is not known."""

import re

import pytest

from hrm.errors import SchemaError
from hrm.report import joined
from hrm.report.joined import script, wrapped


def test_a_module_gives_what_it_exports():
    text = (
        '/** Words. */\n\nimport { a, b as c } from "./other.js";\n// A note.\n'
        "export const one = a;\nconst two = c;\nexport function three() {\n  return two;\n}\n"
        "export async function four() {}\nexport class Five {}\n"
    )
    assert wrapped(text) == (
        "const { a, b: c } = $other;\nconst one = a;\nconst two = c;\nfunction three() {\n"
        "  return two;\n}\nasync function four() {}\nclass Five {}\n"
        "return { one, three, four, Five };\n"
    )


@pytest.mark.parametrize(
    "line",
    [
        "export let x = 1;",
        "export default 3;",
        'export * from "./a.js";',
        "export { a };",
        'import a from "./a.js";',
        'import * as a from "./a.js";',
        'import "./a.js";',
        'import { a } from "../a.js";',
        'import { a } from "https://example.org/a.js";',
    ],
)
def test_any_other_form_is_refused(line):
    with pytest.raises(SchemaError, match="cannot be joined"):
        wrapped(line)


def test_each_module_comes_after_those_it_needs():
    text = script()
    for part in re.split(r"const make = |const page = ", text)[1:]:
        made = set()
        for name, body in re.findall(
            r"^const \$(\w+) = \(\(\) => \{\n(.*?)^\}\)\(\);", part, re.DOTALL | re.MULTILINE
        ):
            assert set(re.findall(r"^const \{[^}]*\} = \$(\w+);", body, re.MULTILINE)) <= made
            made.add(name)
        assert "boot" in made or {"report", "embedded", "field", "tiles"} < made
    assert "import(" not in text
    assert "fetch(" not in text
    assert "eval(" not in text


def test_a_circle_is_refused(monkeypatch):
    texts = {
        "report.js": 'import { b } from "./b.js";\n',
        "b.js": 'import { a } from "./report.js";\n',
    }
    monkeypatch.setattr(joined, "asset", texts.__getitem__)
    with pytest.raises(SchemaError, match="circle"):
        script()


def test_what_would_end_the_script_is_refused(monkeypatch):
    monkeypatch.setattr(joined, "asset", lambda _: 'const x = "</SCRIPT>";\n')
    with pytest.raises(SchemaError, match="end it early"):
        script()
