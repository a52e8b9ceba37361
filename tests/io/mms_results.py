"""Appends a reader's columns to an MMS export, as a hospital does in a spreadsheet."""

from __future__ import annotations

from pathlib import Path

PROCEDURE = "檢查流程"
#: Headings of the table that is filled from the first row of samples downward.
WS = ("vigor", "pattern", "dci", "irp40", "dl", "large_break")


def append_columns(
    path: Path, columns: dict[str, dict[int, str]], *, encoding: str = "cp950"
) -> None:
    """Save an export again with further columns; keys of a column are rows of samples from 0."""
    lines = path.read_text(encoding="utf-8").splitlines()
    top = next(k for k, line in enumerate(lines) if line.startswith("Sample number"))
    n_cells = lines[top].count(",") + 1
    out = []
    for k, line in enumerate(lines):
        cells = [cell.strip() for cell in line.split(",")]
        cells += [""] * (n_cells - len(cells))
        extra = list(columns) if k == top else [c.get(k - top - 1, "") for c in columns.values()]
        out.append(",".join([*cells, *extra]))
    path.write_bytes(("\n".join(out) + "\n").encode(encoding))


def table(rows: list[tuple[str, ...]]) -> dict[str, dict[int, str]]:
    """Columns ``ws_10_...`` of the newer variant: one tuple a swallow, in the order of `WS`."""
    return {
        f"ws_10_{name}": {k: row[i] for k, row in enumerate(rows) if row[i]}
        for i, name in enumerate(WS)
    }
