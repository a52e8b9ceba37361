"""The encapsulated report: read back by the library, byte for byte."""

import pydicom
import pytest

from hrm.errors import ParameterError
from hrm.export import write_dicom
from hrm.export.dicom import ENCAPSULATED_PDF
from tests.export.conftest import NAMES


@pytest.mark.parametrize("odd", [False, True])
def test_round_trip(study, pdf, tmp_path, odd):
    content = pdf + b"\n" * (len(pdf) % 2 != odd)
    write_dicom(study, tmp_path / "report.dcm", pdf=content)
    read = pydicom.dcmread(tmp_path / "report.dcm")
    assert read.EncapsulatedDocument[: read.EncapsulatedDocumentLength] == content
    assert len(read.EncapsulatedDocument) % 2 == 0
    assert read.SOPClassUID == read.file_meta.MediaStorageSOPClassUID == ENCAPSULATED_PDF
    assert read.SOPInstanceUID == read.file_meta.MediaStorageSOPInstanceUID
    assert pydicom.uid.UID(read.SOPInstanceUID).is_valid
    assert (read.Modality, read.MIMETypeOfEncapsulatedDocument) == ("DOC", "application/pdf")


def test_the_same_report_is_the_same_object(study, pdf, tmp_path):
    for name in ("a.dcm", "b.dcm"):
        write_dicom(study, tmp_path / name, pdf=pdf)
    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "b.dcm").read_bytes()


def test_without_identity_there_is_a_pseudonym_and_it_says_so(study, pdf, tmp_path):
    write_dicom(study, tmp_path / "report.dcm", pdf=pdf)
    read = pydicom.dcmread(tmp_path / "report.dcm")
    assert read.PatientIdentityRemoved == "YES"
    assert (str(read.PatientName), read.PatientBirthDate, read.StudyDate) == ("", "", "")
    assert read.VerificationFlag == "UNVERIFIED"


def test_with_identity_it_is_the_patients(study, pdf, identity, tmp_path):
    write_dicom(study, tmp_path / "report.dcm", pdf=pdf, identity=identity)
    read = pydicom.dcmread(tmp_path / "report.dcm")
    family, given, number, order, issuer = NAMES
    assert str(read.PatientName) == f"{family}^{given}"
    assert (read.PatientID, read.IssuerOfPatientID) == (number, issuer)
    assert (read.PatientBirthDate, read.PatientSex) == ("19610203", "F")
    assert (read.StudyDate, read.AccessionNumber) == ("20240506", order)
    assert "PatientIdentityRemoved" not in read


def test_other_bytes_than_a_pdf_are_refused(study, tmp_path):
    with pytest.raises(ParameterError, match="must be a PDF"):
        write_dicom(study, tmp_path / "report.dcm", pdf=b"<html>")
    assert not list(tmp_path.iterdir())
