"""Who a study is of: given by the user for one export, and kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from hrm._toml import load_toml_bounded
from hrm.errors import ParameterError

SEXES = ("female", "male", "other", "unknown")
_TEXTS = ("family_name", "given_name", "patient_id", "patient_id_issuer", "accession_number")
_DATES = ("birth_date", "study_date")
_MOST_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class Identity:
    """What an export says of the patient; an empty field is left out.

    Attributes
    ----------
    family_name, given_name : str
    patient_id, patient_id_issuer : str
        Number of the patient in the hospital, and who gave it, as a URI or a name.
    birth_date, study_date : date or None
    sex : {"female", "male", "other", "unknown", ""}
        Administrative sex.
    accession_number : str
        Number of the order.
    """

    family_name: str = ""
    given_name: str = ""
    patient_id: str = ""
    patient_id_issuer: str = ""
    birth_date: date | None = None
    sex: str = ""
    study_date: date | None = None
    accession_number: str = ""

    # A traceback or a log that shows the object must not show the patient.
    def __repr__(self) -> str:
        """Name the fields that are filled, without their content."""
        filled = [name for name in (*_TEXTS, *_DATES, "sex") if getattr(self, name)]
        return f"Identity({', '.join(filled)})"


def load_identity(path: Path) -> Identity:
    """Read the identity that an export is to carry.

    Parameters
    ----------
    path : Path
        A TOML file with the fields of `Identity`; dates as ``1970-01-31``.

    Returns
    -------
    Identity

    Raises
    ------
    FormatError
        If the file is not TOML.
    ParameterError
        Naming every field that is unknown or cannot be used. No content is quoted.
    """
    with path.open("rb") as file:
        said = load_toml_bounded(file.read((1 << 20) + 1), path=path)
    faults = [*_faults(said)]
    if faults:
        raise ParameterError(f"identity file: {'; '.join(faults)}")
    texts = {name: said[name].strip() for name in (*_TEXTS, "sex") if name in said}
    return Identity(**texts, **{name: said[name] for name in _DATES if name in said})


def _faults(said: Mapping[str, Any]) -> list[str]:
    known = (*_TEXTS, *_DATES, "sex")
    # The name of an unknown key is not quoted either: it may be what was to be its value.
    unknown = sum(name not in known for name in said)
    faults = [f"{unknown} unknown keys; expected {', '.join(known)}"] if unknown else []
    for name in _TEXTS:
        if name in said and not _is_text(said[name]):
            faults.append(f"{name} must be one line of at most {_MOST_CHARACTERS} characters")
    for name in _DATES:
        # A datetime is a date to Python; here it would carry a time that nobody asked for.
        if name in said and type(said[name]) is not date:
            faults.append(f"{name} must be a date like 1970-01-31, without quotes")
    if "sex" in said and said["sex"] not in SEXES:
        faults.append(f"sex must be one of {', '.join(SEXES)}")
    return faults


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _MOST_CHARACTERS and value.isprintable()
