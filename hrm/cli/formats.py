"""``hrm formats``: what is read, and how sure we are of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click


@click.command(name="formats")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.option("--markdown", is_flag=True, help="Write a Markdown table.")
def command(as_json: bool, markdown: bool) -> None:
    """List the formats that are read, each layout with what our knowledge of it rests on.

    No vendor publishes a specification of its export.
    """
    if as_json and markdown:
        raise click.UsageError("give one of --json and --markdown")
    facts = formats()
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        click.echo((_markdown if markdown else _text)(facts))


def formats() -> list[dict[str, Any]]:
    """Describe every reader and its layouts."""
    from hrm.io._registry import StreamingReader, all_readers, builtin_readers
    from hrm.io._variants import EVIDENCE, variants_of

    own = {reader.name for reader in builtin_readers()}
    return [
        {
            "name": reader.name,
            "vendor": reader.vendor,
            "description": reader.description,
            "suffixes": list(reader.suffixes),
            "plugin": reader.name not in own,
            "streams": isinstance(reader, StreamingReader),
            "variants": [
                {**each._asdict(), "meaning": EVIDENCE[each.evidence]}
                for each in variants_of(reader)
            ],
        }
        for reader in all_readers()
    ]


def _text(facts: Sequence[dict[str, Any]]) -> str:
    lines = []
    for reader in facts:
        plugin = " (plug-in)" if reader["plugin"] else ""
        lines += [f"{reader['name']}{plugin}: {reader['vendor']}", f"  {reader['description']}"]
        for each in reader["variants"]:
            refused = "" if each["read"] else ", not read"
            lines.append(f"  [{each['evidence']}{refused}] {each['name']}: {each['note']}")
        lines.append("")
    used = {each["evidence"]: each["meaning"] for row in facts for each in row["variants"]}
    return "\n".join([*lines, *(f"[{word}] {meaning}" for word, meaning in used.items())])


def _markdown(facts: Sequence[dict[str, Any]]) -> str:
    lines = ["| reader | layout | read | evidence | remarks |", "|---|---|---|---|---|"]
    for reader in facts:
        for each in reader["variants"]:
            read = "yes" if each["read"] else "no"
            note = each["note"].replace("|", "\\|")
            lines.append(
                f"| `{reader['name']}` | {each['name']} | {read} | {each['evidence']} | {note} |"
            )
    return "\n".join(lines)
