"""What a page says and carries, read by means of the standard library alone."""

import base64
import json
import re
import zlib
from html.parser import HTMLParser

import numpy as np

SILENT = {"script", "style", "template", "title"}


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.said, self.inside, self.tags = [], [], []
        self.blocks, self.rows = {}, []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in SILENT:
            self.inside.append((tag, dict(attrs).get("id", "")))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        if self.inside and self.inside[-1][0] == tag:
            self.inside.pop()
        if tag == "table":
            self.rows.append(None)

    def handle_data(self, data):
        if self.inside:
            tag, name = self.inside[-1]
            self.blocks.setdefault(name or tag, []).append(data)
            return
        self.said.append(data)
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


class Page:
    """One page."""

    def __init__(self, text):
        self.html, reader = text, _Reader()
        reader.feed(text)
        self.text = " ".join(" ".join(reader.said).split())
        self.tags, self.rows = reader.tags, [row for row in reader.rows if row]
        self.blocks = {name: "".join(parts) for name, parts in reader.blocks.items()}

    def policy(self):
        (found,) = (a["content"] for t, a in self.tags if a.get("http-equiv"))
        return found

    def given(self, key="1"):
        return json.loads(self.blocks[f"study-{key}"])

    def parts(self, key="1"):
        """Samples as they come out again, one by one, without anything of the engine."""
        given = self.given(key)
        found = unpacked(
            self.blocks[f"samples-{key}"],
            given["parts"],
            len(given["study"]["depth_cm"]),
            given["step_mmhg"],
        )
        return list(zip(given["parts"], found, strict=True))


def unpacked(text, parts, rows, step):
    """The arrays of the parts, by a slow sum over single bytes."""
    content, offset, out = zlib.decompress(base64.b64decode(text)), 0, []
    for part in parts:
        count = rows * part["columns"]
        low, high = content[offset : offset + count], content[offset + count : offset + 2 * count]
        values = np.full((rows, part["columns"]), np.nan)
        for row in range(rows):
            total = 0
            for column in range(part["columns"]):
                k = row * part["columns"] + column
                total = (total + low[k] + 256 * high[k]) % 65536
                signed = total - 65536 if total >= 32768 else total
                if signed != -32768:
                    values[row, column] = signed * step
        out.append(values)
        offset += 2 * count
    assert offset == len(content)
    return out


def links(text):
    """Whatever would be fetched from elsewhere."""
    found = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^"'\s>)]{4,60})""", text)
    return [each for each in found if not each.startswith("data:image/webp;base64,")]
