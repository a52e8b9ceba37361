"""A raw REDCap export with its data dictionary, as the sheets that a trial is read from.

Every cell is text until its column says what it is. Nothing is coerced: a label where a code
belongs, a decimal point where the plan says comma, a checkbox that is neither 0 nor 1 are faults,
with the row and the column of the export.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hrm.trial.inputs import schemas
from hrm.trial.inputs.redcap_choice import REPEATED, RedcapChoice
from hrm.trial.inputs.sheets import NUMBER, Sheet, fill, parsed

_FIELD, _TYPE, _CHOICES = (
    "Variable / Field Name",
    "Field Type",
    "Choices, Calculations, OR Slider Labels",
)
_EVENT, _INSTRUMENT, _INSTANCE = (
    *("redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"),
)
_RESERVED = (
    *(_EVENT, _INSTRUMENT, _INSTANCE),
    *("redcap_data_access_group", "redcap_survey_identifier"),
)
#: Types of fields whose cells are codes of a list, and those that are 1 or 0.
_CODED, _TRUTH = ("radio", "dropdown"), ("yesno", "truefalse", "checkbox")
_POINT = re.compile(r"-?\d+\.\d+")
_CHECKBOX = re.compile(r"(.+?)___(.+)")
#: A form's state and its time of entry, which no dictionary lists.
_OF_FORMS = re.compile(r".+_(complete|timestamp)")


@dataclass
class Redcap:
    """An export that was read: its rows, what each column is, and the faults."""

    choice: RedcapChoice
    missing_codes: Sequence[str]
    export: Sheet
    dictionary: Sheet
    types: dict[str, str] = field(default_factory=dict)
    choices: dict[str, dict[str, str]] = field(default_factory=dict)

    def part(
        self, name: str, columns: Sequence[str], numbers: Sequence[str], flags: Sequence[str]
    ) -> Sheet | None:
        """Give one part of the export as a sheet.

        Parameters
        ----------
        name : str
            One of `redcap_choice.PARTS`.
        columns : sequence of str
            That the sheet has.
        numbers : sequence of str
            Those of them that hold numbers: the code of a choice counts, not its label.
        flags : sequence of str
            Those of them that hold yes or no: of a choice the label, in whatever case.

        Returns
        -------
        Sheet or None
            Row numbers and columns of its faults are those of the export; None if the plan
            does not map the part.
        """
        mapped = self.choice.parts.get(name)
        if mapped is None:
            return None
        given = {"participant", "visit"} if name == "visits" else {"participant"}
        wanted = [column for column in columns if column not in given]
        sheet = Sheet(f"{self.choice.export} ({name})", [], "")
        sheet.aliases = {column: mapped[column] for column in wanted if column in mapped}
        lacking = [column for column in wanted if column not in mapped]
        unknown = [
            column for column in wanted if column in mapped and not self._has(mapped[column])
        ]
        sheet.faults += [f"redcap.{name}_fields.{column} is missing" for column in lacking]
        sheet.faults += [
            f"redcap.{name}_fields.{column}: expected a field of the export" for column in unknown
        ]
        if not sheet.faults:
            kinds = dict.fromkeys(numbers, "number") | dict.fromkeys(flags, "flag")
            sheet.rows += self._rows(name, wanted, kinds, sheet)
        return sheet

    def _has(self, column: str) -> bool:
        return column in self.types

    def _rows(
        self, name: str, wanted: Sequence[str], kinds: Mapping[str, str], sheet: Sheet
    ) -> Iterator[dict[str, str]]:
        mapped = self.choice.parts[name]
        if name in ("participants", "variables"):
            yield from self._of_records(mapped, wanted, kinds, sheet)
            return
        for row in self.export.rows:
            instrument = row.get(_INSTRUMENT, "")
            cells = {
                column: self._cell(row, mapped[column], kinds.get(column, "")) for column in wanted
            }
            start = {"participant": row[self.choice.record], NUMBER: row[NUMBER]}
            if name in REPEATED:
                if instrument == mapped["instrument"]:
                    yield start | cells
            elif not instrument and any(row[mapped[column]] for column in wanted):
                visit = self.choice.events.get(row.get(_EVENT, ""), "")
                if visit:
                    yield start | cells | {"visit": visit}

    def _of_records(
        self,
        mapped: Mapping[str, str],
        wanted: Sequence[str],
        kinds: Mapping[str, str],
        sheet: Sheet,
    ) -> Iterator[dict[str, str]]:
        """One row a record: what its events say, of which two must not differ."""
        found: dict[str, dict[str, str]] = {}
        for row in self.export.rows:
            if row.get(_INSTRUMENT, ""):
                continue
            code = row[self.choice.record]
            record = found.setdefault(code, {"participant": code, NUMBER: row[NUMBER]})
            for column in wanted:
                cell = self._cell(row, mapped[column], kinds.get(column, ""))
                if cell and record.get(column, cell) != cell:
                    sheet.fault(row, column, "the same value as at another event of the record")
                if cell:
                    record[column] = cell
        for record in found.values():
            yield {**dict.fromkeys(wanted, ""), **record}

    def _cell(self, row: Mapping[str, str], column: str, kind: str) -> str:
        value = row[column]
        if kind == "number":
            return value.replace(",", ".") if self.choice.decimal == "," else value
        if value in self.missing_codes:
            return ""
        if self.types[column] in _TRUTH:
            return {"1": "yes", "0": "no"}.get(value, value)
        said = self.choices.get(column, {}).get(value, value)
        return said.casefold() if kind == "flag" and column in self.choices else said


def read_redcap(folder: Path, choice: RedcapChoice, missing_codes: Sequence[str]) -> Redcap:
    """Read a raw export and its dictionary.

    Parameters
    ----------
    folder : Path
    choice : RedcapChoice
    missing_codes : sequence of str
        Of the plan; they may stand in any cell.

    Returns
    -------
    Redcap
        With the faults of every cell in its sheets.
    """
    dictionary = _table(folder / choice.dictionary, choice.dictionary, ",")
    export = _table(folder / choice.export, choice.export, choice.separator)
    found = Redcap(choice, missing_codes, export, dictionary)
    needed = {_FIELD, _TYPE, _CHOICES}
    if not dictionary.rows or needed - set(dictionary.rows[0]):
        dictionary.faults.append(
            f"{dictionary.name} row 1: expected the columns {_FIELD}; {_TYPE}; {_CHOICES}"
        )
        export.rows.clear()
        return found
    known = {row[_FIELD]: row for row in dictionary.rows}
    heads = [name for name in export.rows[0] if name != NUMBER] if export.rows else []
    for place, name in enumerate(heads, start=1):
        _take_column(found, known, name, place)
    if choice.record not in heads:
        export.faults.append(f"{export.name} row 1: expected the field redcap.record")
        export.rows.clear()
    _check_rows(found)
    return found


def _table(path: Path, name: str, separator: str) -> Sheet:
    content = path.read_bytes()
    sheet = Sheet(name, [], hashlib.sha256(content).hexdigest())
    lines = parsed(sheet, content, separator)
    if not lines:
        return sheet
    heads = [head.strip() for head in lines[0][1]]
    if len(set(heads)) < len(heads):
        sheet.faults.append(f"{name} row 1: expected each column once; export raw headers")
        return sheet
    fill(sheet, heads, lines[1:])
    return sheet


def _take_column(
    found: Redcap, known: Mapping[str, Mapping[str, str]], name: str, place: int
) -> None:
    """Find out what a column of the export is."""
    box = _CHECKBOX.fullmatch(name)
    if name in known and known[name][_TYPE] != "checkbox":
        found.types[name] = known[name][_TYPE]
        if known[name][_TYPE] in _CODED:
            found.choices[name] = _choices(known[name][_CHOICES])
    elif box and box[1] in known and _code(box[2]) in map(_code, _choices(known[box[1]][_CHOICES])):
        found.types[name] = "checkbox"
    elif name not in _RESERVED and not _OF_FORMS.fullmatch(name):
        # Not by its name: that may be a label, and a label may be anything.
        found.export.faults.append(
            f"{found.export.name} row 1, column {place}: expected a field of the dictionary, or a "
            "checkbox as field___code; export raw headers"
        )


def _choices(said: str) -> dict[str, str]:
    pairs = (part.partition(",") for part in said.split("|"))
    return {code.strip(): label.strip() for code, _, label in pairs if code.strip()}


def _code(code: str) -> str:
    """Write the code of a choice as a column name has it."""
    return re.sub(r"[^a-z0-9_]", "_", code.lower())


def _check_rows(found: Redcap) -> None:
    heads = found.export.rows[0] if found.export.rows else {}
    key = [name for name in (found.choice.record, _EVENT, _INSTRUMENT, _INSTANCE) if name in heads]
    cells = {name: _or_missing(found, _cell(found, name)) for name in found.types}
    rules = schemas.export(cells, found.choice.record, _EVENT, found.choice.events, key)
    schemas.validate(found.export, rules)


def _or_missing(found: Redcap, cell: schemas.Cell) -> schemas.Cell:
    words, allowed = cell
    missing = {"", *found.missing_codes}
    return words, lambda text: text in missing or allowed(text)


def _cell(found: Redcap, column: str) -> schemas.Cell:
    """What the dictionary says of the cells of a column."""
    kind = found.types[column]
    if kind in _TRUTH:
        return "0 or 1; make a raw export, without labels", ("0", "1").__contains__
    if kind in _CODED:
        return "a code of the dictionary; make a raw export", found.choices[column].__contains__
    # Of what else there is, text and calculations may be numbers.
    point = found.choice.decimal == "," and kind in ("text", "calc")
    return "a decimal comma, as the plan says", (
        lambda text: not (point and _POINT.fullmatch(text))
    )
