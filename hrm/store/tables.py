"""What a ledger holds, as tables: every number in a row, and one row a study."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrm.errors import MissingDependencyError, ParameterError
from hrm.store.ledger import Ledger
from hrm.store.tidy import COLUMNS

if TYPE_CHECKING:
    import pandas as pd

FORMATS = (".csv", ".parquet", ".xlsx")
#: Studies whose result holds for an input, in the order of every table.
_CURRENT = (
    "FROM study WHERE id IN (SELECT study FROM input WHERE study IS NOT NULL) ORDER BY study_id, id"
)
#: Numbers of a study that stand in `study_table`, in this order.
_STUDY_METRICS = (
    *("n_swallows", "n_evaluable"),
    *("irp4s_median_supine_mmhg", "irp4s_median_upright_mmhg", "irp4s_median_unknown_mmhg"),
    *("basal_mean_mmhg", "basal_end_expiratory_mmhg", "basal_inspiratory_mmhg"),
    *("egj_ci_mmhg_cm", "les_cd_separation_cm", "ues_resting_mmhg"),
    *("percent_failed", "percent_weak", "percent_ineffective", "percent_fragmented"),
    *("percent_premature", "percent_hypercontractile", "percent_panesophageal"),
    "noise_mmhg",
)


def input_table(ledger: Ledger) -> pd.DataFrame:
    """One row an input: what came of it.

    Parameters
    ----------
    ledger : Ledger

    Returns
    -------
    DataFrame
        ``input`` (its number), ``manifest_row``, ``path``, ``status`` (``ok``,
        ``failed``, ``quarantined``, ``not_measured``), ``cause``, ``message``,
        ``advice``, ``study_id``. The path is for the user's terminal: it may name a
        patient.
    """
    import pandas as pd

    query = (
        "SELECT input.id AS input, manifest_row, path, "
        # A file that changed back has a result that holds, whatever its last attempt was.
        "CASE WHEN input.study IS NOT NULL THEN 'ok' "
        "WHEN status IN ('failed', 'quarantined') THEN status ELSE 'not_measured' END AS status, "
        "CASE WHEN input.study IS NULL THEN cause END AS cause, "
        "CASE WHEN input.study IS NULL THEN message END AS message, "
        "CASE WHEN input.study IS NULL THEN advice END AS advice, study.study_id AS study_id "
        "FROM input LEFT JOIN attempt ON attempt.id = input.attempt_id "
        "LEFT JOIN study ON study.id = input.study ORDER BY path"
    )
    return _frame(pd, ledger, query).astype({"manifest_row": "Int64"})


def studies_with(ledger: Ledger, swallow_type: str) -> set[int]:
    """Give the numbers of the studies that have an evaluable swallow of a type."""
    rows = ledger.connection.execute(
        "SELECT DISTINCT study FROM swallow WHERE evaluable AND type = ?", (swallow_type,)
    )
    return {int(row[0]) for row in rows}


def long_table(ledger: Ledger, studies: Sequence[int] | None = None) -> pd.DataFrame:
    """Give every number of every study that holds, as `hrm.to_long` does of one.

    Parameters
    ----------
    ledger : Ledger
    studies : sequence of int, optional
        Only of these: column ``study`` of `study_table`.

    Returns
    -------
    DataFrame
        Columns of `hrm.to_long`; ``subject`` is the study's pseudonym.
    """
    import pandas as pd

    query = (
        "SELECT study.id AS study, study.study_id AS subject, coalesce(visit, '') AS visit, swallow, metric, value, "
        "unit, status, metric_version, source FROM metric JOIN study ON study.id = metric.study "
        "WHERE study.id IN (SELECT study FROM input WHERE study IS NOT NULL) "
        "ORDER BY study.study_id, study.id, metric.id"
    )
    table = _frame(pd, ledger, query)
    if studies is not None:
        table = table[table["study"].isin(studies)]
    table = table[list(COLUMNS)].reset_index(drop=True)
    kinds = dict.fromkeys(COLUMNS, "str") | {"swallow": "Int64", "value": "float64"}
    return table.astype(kinds)


def study_table(ledger: Ledger) -> pd.DataFrame:
    """Give one row for each study that holds.

    Parameters
    ----------
    ledger : Ledger

    Returns
    -------
    DataFrame
        ``study``, its number in the ledger; identification, provenance, diagnoses and the
        numbers of the study. Units are in the names of the columns, and NaN is what was
        not measured.
    """
    import pandas as pd

    rows = [_study_row(ledger, row) for row in _studies(ledger)]
    columns = list(rows[0]) if rows else ["study", "study_id", *_FILTERS]
    return pd.DataFrame(rows, columns=columns)


#: Columns by which studies are chosen; there even when there is no study.
_FILTERS = ("participant", "visit", "diagnosis_ccv4")


def _studies(ledger: Ledger) -> list[tuple[Any, ...]]:
    query = (
        "SELECT id, study_id, participant, visit, sha256, settings_id, engine, review_hash, result "
    )
    return ledger.connection.execute(query + _CURRENT).fetchall()


def _study_row(ledger: Ledger, row: Sequence[Any]) -> dict[str, Any]:
    result = json.loads(row[8])
    numbers = dict(
        ledger.connection.execute(
            "SELECT metric, value FROM metric WHERE study = ? AND swallow IS NULL", (row[0],)
        ).fetchall()
    )
    (warnings,) = ledger.connection.execute(
        "SELECT count(DISTINCT message) FROM warning WHERE study = ?", (row[0],)
    ).fetchone()
    return {
        "study": row[0],
        **dict(zip(("study_id", "participant", "visit", "sha256"), row[1:5], strict=True)),
        **{name: result["recording"][name] for name in ("format", "system", "catheter")},
        **_labels(result),
        **{name: _number(numbers.get(name)) for name in _STUDY_METRICS},
        "warnings": warnings + len(result["warnings"]),
        **dict(zip(("settings_id", "engine", "review_hash"), row[5:8], strict=True)),
    }


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _labels(result: Mapping[str, Any]) -> dict[str, Any]:
    labels: dict[str, Any] = {}
    for tree in ("ccv4", "ccv3"):
        block = result["classification"][tree]
        labels[f"diagnosis_{tree}"] = block["diagnosis"]
        labels[f"conclusive_{tree}"] = block["conclusive"]
        labels[f"limited_{tree}"] = block["limited"]
        labels[f"stability_{tree}"] = (block.get("stability") or {}).get("agreement")
    review = result["review"] or {}
    return labels | {
        "morphology": result["egj"]["morphology"],
        "primary_posture": result["study"]["primary_posture"],
        "signed_off": review.get("signed_off", False),
    }


def _frame(pandas: Any, ledger: Ledger, query: str) -> pd.DataFrame:
    cursor = ledger.connection.execute(query)
    names = [column[0] for column in cursor.description]
    table: pd.DataFrame = pandas.DataFrame(cursor.fetchall(), columns=names)
    return table


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV, Parquet or Excel, by the ending of the name.

    Raises
    ------
    ParameterError
        If the ending is another.
    MissingDependencyError
        If the library for it is not installed.
    """
    kind = path.suffix.lower()
    if kind == ".csv":
        table.to_csv(path, index=False, na_rep="NA", lineterminator="\n", encoding="utf-8")
        return
    if kind not in FORMATS:
        raise ParameterError(f"a table is written as {', '.join(FORMATS)}; got another ending")
    try:
        if kind == ".parquet":
            table.to_parquet(path, index=False)
        else:
            table.to_excel(path, index=False, na_rep="NA")
    except ImportError as err:
        raise MissingDependencyError(f"{kind} needs a library: pip install 'hrm[batch]'") from err
