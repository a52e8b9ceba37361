"""What each clinical file may hold, as pandera schemas: columns, ranges, levels, unique keys.

A schema finds every fault of a table at once and changes no cell: each is text, and what it
means is read afterwards, of sound tables only. pandera's own messages quote the cells, which may
name somebody; a fault is therefore told here by file, row, column and what is allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from hrm.errors import MissingDependencyError
from hrm.trial.eckardt import HIGHEST, ITEMS, LOWEST
from hrm.trial.inputs.layout import PARTICIPANTS
from hrm.trial.inputs.plan import TrialPlan
from hrm.trial.inputs.plan_options import Column as PlanColumn
from hrm.trial.inputs.sheets import FLAGS, Sheet, decimal, whole

if TYPE_CHECKING:
    import pandas as pd
    from pandera.pandas import Check, DataFrameSchema

Holds = Callable[["pd.DataFrame"], "pd.Series[bool]"]
#: What a cell must be, in words, and whether a text is that.
Cell = tuple[str, Callable[[str], bool]]

_RANDOMIZED_ONCE = "somebody randomized, once"


def validate(sheet: Sheet, schema: DataFrameSchema) -> None:
    """Note every fault of a sheet under a schema, by row and column in the order of the file."""
    if not sheet.rows:
        return  # without rows there is no cell at fault; the heading was checked
    pandas, pandera = _libraries()
    frame = pandas.DataFrame(sheet.rows, dtype=object)
    faults: dict[tuple[int, str, str], None] = {}
    try:
        schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as err:
        for each in err.schema_errors:
            # A rule over columns has the name of the column that its fault is said of.
            column = each.schema.name or each.check.name
            for place in sorted(set(each.failure_cases["index"])):
                faults[int(place), column, each.check.error] = None
    order = {column: number for number, column in enumerate(frame.columns)}
    for place, column, expected in sorted(faults, key=lambda f: (f[0], order.get(f[1], -1), f[2])):
        sheet.fault(sheet.rows[place], column, expected)


def _libraries() -> tuple[ModuleType, ModuleType]:
    try:
        import pandas as pd
        import pandera.pandas as pa
    except ImportError as err:
        raise MissingDependencyError(
            "clinical data are validated with a library: pip install 'hrm[trial]' (pandera)"
        ) from err
    return pd, pa


def _schema(cells: Mapping[str, Cell], rules: Sequence[tuple[str, str, Holds]]) -> DataFrameSchema:
    """Make a schema of cells by column, and of rules over columns: column, words, what holds."""
    _, pandera = _libraries()
    columns = {
        name: pandera.Column(object, pandera.Check(allowed, element_wise=True, error=expected))
        for name, (expected, allowed) in cells.items()
    }
    checks: list[Check] = [
        pandera.Check(holds, name=column, error=expected) for column, expected, holds in rules
    ]
    made: DataFrameSchema = pandera.DataFrameSchema(columns, checks=checks)
    return made


def _one_of(expected: str, allowed: Collection[str]) -> Cell:
    return expected, frozenset(allowed).__contains__


def _or(cell: Cell, missing: Collection[str] = ("",)) -> Cell:
    """Let a cell be missing too."""
    expected, allowed = cell
    return expected, lambda text: text in missing or allowed(text)


_FLAG = _one_of("yes or no", FLAGS)
_TEXT: Cell = ("a text", bool)


def _flags(*columns: str) -> dict[str, Cell]:
    return dict.fromkeys(columns, _FLAG)


def _once(*columns: str) -> Holds:
    return lambda frame: ~frame.duplicated(list(columns))


def _missing(plan: TrialPlan) -> tuple[str, ...]:
    return ("", *plan.missing_codes)


def participants(plan: TrialPlan) -> DataFrameSchema:
    """Everybody assessed, once; who was excluded is in no set, who was not treated not per protocol."""
    code = "a code that stands once in the file"

    def consistent(frame: pd.DataFrame) -> pd.Series[bool]:
        in_a_set = (frame["treated"] == "yes") | (frame["per_protocol"] == "yes")
        return (frame["excluded"] == "") | ~in_a_set

    def treated_as_planned(frame: pd.DataFrame) -> pd.Series[bool]:
        # Of an excluded one the rule before speaks.
        analyzed = (frame["per_protocol"] == "yes") & (frame["excluded"] == "")
        return ~analyzed | (frame["treated"] != "no")

    return _schema(
        {
            "participant": (code, bool),
            "excluded": _one_of(
                "nothing, or one of trial.excluded_reasons", ("", *plan.excluded_reasons)
            ),
            **_flags("treated", "per_protocol"),
        },
        [
            ("participant", code, _once("participant")),
            ("excluded", "who was excluded to be neither treated nor analyzed", consistent),
            ("per_protocol", "no for whoever was not treated", treated_as_planned),
        ],
    )


def visits(plan: TrialPlan, randomized: Collection[str]) -> DataFrameSchema:
    """Visits of the plan, each of a participant once, with items in their range."""
    item: Cell = (f"a whole number from {LOWEST} to {HIGHEST}, or missing", _in_range)
    return _schema(
        {
            "participant": _one_of(f"somebody randomized in {PARTICIPANTS}", randomized),
            "visit": _one_of("a visit of the plan", [visit.name for visit in plan.visits]),
            "study_day": ("a whole number of days since randomization", _is_whole),
            **dict.fromkeys(ITEMS, _or(item, _missing(plan))),
            **_flags("retreated"),
        },
        [("visit", "each visit of a participant once", _once("participant", "visit"))],
    )


def _is_whole(text: str) -> bool:
    return whole(text) is not None


def _in_range(text: str) -> bool:
    value = whole(text)
    return value is not None and LOWEST <= value <= HIGHEST


def allocation(plan: TrialPlan, randomized: Collection[str]) -> DataFrameSchema:
    """The arm of each randomized participant, once."""
    return _schema(
        {
            "participant": _one_of(_RANDOMIZED_ONCE, randomized),
            "arm": _one_of("arms.test or arms.reference of the plan", (plan.test, plan.reference)),
        },
        [("participant", _RANDOMIZED_ONCE, _once("participant"))],
    )


def variables(plan: TrialPlan, randomized: Collection[str]) -> DataFrameSchema:
    """One row a participant; each column as the plan has it, or missing."""
    return _schema(
        {
            "participant": _one_of(_RANDOMIZED_ONCE, randomized),
            **{each.name: _or(_of(each), _missing(plan)) for each in plan.options.columns},
        },
        [("participant", _RANDOMIZED_ONCE, _once("participant"))],
    )


def _of(column: PlanColumn) -> Cell:
    if column.kind == "yes-no":
        return _FLAG
    if column.levels:
        return _one_of("one of the levels of the plan, or missing", column.levels)
    return "a number with a decimal point, or missing", _is_decimal


def _is_decimal(text: str) -> bool:
    return decimal(text) is not None


def events(grades: Sequence[str], randomized: Collection[str]) -> DataFrameSchema:
    """Adverse events and incidents: an incident has no grade, and none is before the procedure."""
    day = "a whole number of days after the procedure, 0 or more, or missing"
    return _schema(
        {
            "participant": _one_of("somebody randomized", randomized),
            "term": _TEXT,
            "days_after": _or((day, lambda text: (whole(text) or 0) >= 0 and _is_whole(text))),
            "grade": _or(_one_of(f"one of {', '.join(grades)}, or missing", grades)),
            **_flags("during_procedure", "incident"),
            **dict.fromkeys(("serious", "related"), _or(_FLAG)),
        },
        [
            (
                "days_after",
                "nothing or 0 of an event during the procedure",
                lambda frame: (
                    (frame["during_procedure"] != "yes") | frame["days_after"].isin(("", "0"))
                ),
            ),
            (
                "grade",
                "nothing for an incident",
                lambda frame: (frame["incident"] != "yes") | (frame["grade"] == ""),
            ),
        ],
    )


def deviations(randomized: Collection[str]) -> DataFrameSchema:
    """Departures from the protocol."""
    return _schema(
        {
            "participant": _one_of("somebody randomized", randomized),
            "kind": _TEXT,
            **_flags("leaves_set"),
        },
        [],
    )


def export(
    cells: Mapping[str, Cell], record: str, event: str, events: Collection[str], key: Sequence[str]
) -> DataFrameSchema:
    """A REDCap export: cells as its dictionary has them, and each record and event once.

    Parameters
    ----------
    cells : mapping of str to Cell
        By column.
    record, event : str
        Columns of the record and, if there is one, of the event.
    events : collection of str
        That the plan maps.
    key : sequence of str
        The columns that tell two rows apart.
    """
    once = "a record, once with its event, instrument, instance"
    known = "an event of redcap.events"

    def mapped(frame: pd.DataFrame) -> pd.Series[bool]:
        said = frame[event] if event in frame else frame[record].map(lambda _: "")
        return said.isin(list(events))

    return _schema(
        cells,
        [
            (record, once, lambda frame: (frame[record] != "") & _once(*key)(frame)),
            (event, known, mapped),
        ],
    )
