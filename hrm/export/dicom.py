"""The report on a study as a DICOM object: an encapsulated PDF."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from hrm import __version__
from hrm._files import new_file
from hrm.errors import MissingDependencyError, ParameterError
from hrm.report.draft import signed_off
from hrm.results import to_dict

if TYPE_CHECKING:
    import xarray as xr
    from pydicom.dataset import FileDataset

    from hrm.export.identity import Identity

ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
_SEX = {"female": "F", "male": "M", "other": "O"}


def write_dicom(
    study: xr.DataTree,
    path: str | os.PathLike[str],
    *,
    pdf: bytes,
    identity: Identity | None = None,
    overwrite: bool = False,
) -> None:
    """Write the report on an analyzed study as an Encapsulated PDF object.

    Parameters
    ----------
    study : DataTree
        As returned by `hrm.analyze`.
    path : path-like
    pdf : bytes
        The report, as `hrm.report.write_report` makes it.
    identity : Identity, optional
        Whom the study is of; without it the patient's number is the pseudonym of the
        study, and the object says that the identity was removed.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    ParameterError
        If `pdf` is none.
    MissingDependencyError
        If pydicom is not installed.
    FileExistsError
        If the file exists and `overwrite` is not set.

    Notes
    -----
    DICOM PS3.3 A.45.1, Encapsulated PDF; PS3.15 E for the removal of identity. The unique
    identifiers are made from the content, so that the same report is the same object.
    """
    made = dicom_report(to_dict(study), pdf, identity)
    with new_file(path, overwrite=overwrite) as place:
        made.save_as(place, enforce_file_format=True)


def dicom_report(
    result: Mapping[str, Any], pdf: bytes, identity: Identity | None = None
) -> FileDataset:
    """Make the object of `write_dicom`; `result` is that of `hrm.to_dict`."""
    if not pdf.startswith(b"%PDF-"):
        raise ParameterError("the report must be a PDF; these bytes are none")
    try:
        from pydicom.dataset import FileDataset, FileMetaDataset
        from pydicom.uid import UID
    except ImportError as err:
        raise MissingDependencyError(
            "DICOM needs a library: pip install 'hrm[export]' (pydicom)"
        ) from err
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(ENCAPSULATED_PDF)
    meta.MediaStorageSOPInstanceUID = UID(_uid("instance", pdf, identity))
    meta.TransferSyntaxUID = UID(_LITTLE_ENDIAN)
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    made.SpecificCharacterSet = "ISO_IR 192"  # UTF-8
    made.SOPClassUID = meta.MediaStorageSOPClassUID
    made.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    _add_patient(made, result["recording"]["study_id"], identity)
    _add_study(made, result, identity)
    _add_document(made, pdf, signed=signed_off(result), burned_in=identity is not None)
    return made


def _add_patient(made: FileDataset, pseudonym: str, identity: Identity | None) -> None:
    if identity is None:
        made.PatientName, made.PatientID = "", pseudonym
        made.PatientBirthDate, made.PatientSex = "", ""
        made.PatientIdentityRemoved = "YES"
        made.DeidentificationMethod = "only a pseudonym was ever read"
        return
    made.PatientName = f"{identity.family_name}^{identity.given_name}".rstrip("^")
    made.PatientID = identity.patient_id or pseudonym
    if identity.patient_id_issuer:
        made.IssuerOfPatientID = identity.patient_id_issuer
    made.PatientBirthDate = _day(identity.birth_date)
    made.PatientSex = _SEX.get(identity.sex, "")


def _add_study(made: FileDataset, result: Mapping[str, Any], identity: Identity | None) -> None:
    digest = result["recording"]["sha256"].encode("ascii")
    made.StudyInstanceUID = _uid("study", digest, identity)
    made.SeriesInstanceUID = _uid("series", digest, identity)
    made.StudyID = result["recording"]["study_id"][:16]
    made.StudyDate = _day(identity.study_date if identity else None)
    made.StudyTime, made.ReferringPhysicianName = "", ""
    made.AccessionNumber = identity.accession_number[:16] if identity else ""
    made.StudyDescription = "High-resolution esophageal manometry"
    made.Modality, made.ConversionType = "DOC", "WSD"
    made.SeriesNumber, made.InstanceNumber = "1", "1"
    made.Manufacturer, made.ManufacturerModelName = "", "hrm"
    made.SoftwareVersions = __version__


def _add_document(made: FileDataset, pdf: bytes, *, signed: bool, burned_in: bool) -> None:
    made.ContentDate, made.ContentTime, made.AcquisitionDateTime = "", "", ""
    # The PDF of hrm shows nobody's name; a physician's free text may.
    made.BurnedInAnnotation = "YES" if burned_in else "NO"
    made.DocumentTitle = "High-resolution esophageal manometry report"
    made.ConceptNameCodeSequence = []
    made.VerificationFlag = "VERIFIED" if signed else "UNVERIFIED"
    made.CompletionFlag = "COMPLETE" if signed else "PARTIAL"
    made.MIMETypeOfEncapsulatedDocument = "application/pdf"
    # The value of an element has an even length; the true one stands beside it.
    made.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    made.EncapsulatedDocumentLength = len(pdf)


def _day(day: date | None) -> str:
    return day.strftime("%Y%m%d") if day else ""


def _uid(part: str, content: bytes, identity: Identity | None) -> str:
    """Identifier under the UUID root: 2.25 and a number of at most 39 digits."""
    # An object with an identity is another one than the same without.
    made = hashlib.sha256(f"hrm {part} {identity is not None} ".encode() + content).digest()
    return f"2.25.{int.from_bytes(made[:16], 'big')}"
