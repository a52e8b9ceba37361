"""Studies to export: a normal one, one that cannot be measured in full, one signed off."""

from datetime import date
from pathlib import Path

import pytest

import hrm
from hrm.export import Identity
from hrm.report import write_report

FILE = Path(__file__).resolve().parents[2] / "examples" / "manoview_36ch_normal.txt"
#: Made up; searched for in everything that must not hold it.
NAMES = ("Zzyzxson", "Quillfeather", "ID-7391-K", "ACC-551-Q", "Hospitalia")


@pytest.fixture(scope="session")
def study():
    return hrm.analyze(hrm.open_recording(FILE), system="manoscan", posture="supine")


@pytest.fixture(scope="session")
def pdf(study, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.pdf"
    write_report(study, path)
    return path.read_bytes()


@pytest.fixture
def identity():
    family, given, number, order, issuer = NAMES
    return Identity(
        family_name=family,
        given_name=given,
        patient_id=number,
        patient_id_issuer=issuer,
        birth_date=date(1961, 2, 3),
        sex="female",
        study_date=date(2024, 5, 6),
        accession_number=order,
    )
