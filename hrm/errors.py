"""Every error and warning that hrm raises, as one small tree.

`FileNotFoundError`, `PermissionError` and `TypeError` stay the builtins: they say
what they mean, and a caller expects them. Everything about the *content* of a
file, a recording or an argument is one of the classes below.
"""

from __future__ import annotations

__all__ = [
    "AmbiguousFormatError",
    "AnnotationError",
    "CorruptFileError",
    "DataQualityWarning",
    "FormatError",
    "HrmDeprecationWarning",
    "HrmError",
    "HrmWarning",
    "MissingDependencyError",
    "ParameterError",
    "ProvenanceWarning",
    "SchemaError",
    "StoreError",
    "UnitsError",
    "UnknownFormatError",
    "UnsupportedVersionError",
]


class HrmError(Exception):
    """Root of every error that hrm raises on purpose."""


class FormatError(HrmError, ValueError):
    """A file cannot be read as a recording.

    Parameters
    ----------
    message : str
        What was expected, what was found, and what to do. Never quotes a header
        value or the path: either may carry a patient's identity.
    reader : str, optional
        Name of the reader that failed.
    where : str, optional
        Line or byte offset, e.g. ``"line 812"``.
    path : str, optional
        The user's path, for the terminal only; not part of the message.
    """

    def __init__(
        self,
        message: str,
        *,
        reader: str | None = None,
        where: str | None = None,
        path: str | None = None,
    ) -> None:
        prefix = " ".join(part for part in (f"[{reader}]" if reader else "", where or "") if part)
        super().__init__(f"{prefix}: {message}" if prefix else message)
        self.reader = reader
        self.where = where
        self.path = path


class UnknownFormatError(FormatError):
    """No reader recognises the file."""


class AmbiguousFormatError(FormatError):
    """More than one reader claims the file; pass ``reader=`` to choose."""


class CorruptFileError(FormatError):
    """The format is recognised, but the content is cut, contradictory or damaged."""


class UnsupportedVersionError(FormatError):
    """The format is recognised, but this version or variant of it is not read."""


class SchemaError(HrmError, ValueError):
    """A recording breaks the data contract (dims, coords, attrs, order)."""


class UnitsError(SchemaError):
    """A unit is missing or not the one the contract asks for."""


class ParameterError(HrmError, ValueError):
    """An argument or option has a value that cannot be used."""


class ConvergenceError(HrmError, RuntimeError):
    """An estimate was searched for and not found, or the data do not determine it."""


class AnnotationError(HrmError, ValueError):
    """A reviewer's edit cannot be applied."""


class StoreError(HrmError, RuntimeError):
    """The ledger of a batch cannot be opened, or not be written to."""


class MissingDependencyError(HrmError, ImportError):
    """An optional dependency is not installed; the message names the extra."""


class HrmWarning(UserWarning):
    """Root of every warning that hrm issues."""


class DataQualityWarning(HrmWarning):
    """The recording is usable, but part of it cannot be trusted."""


class ProvenanceWarning(HrmWarning):
    """Something about where a number came from is unknown."""


class HrmDeprecationWarning(FutureWarning):
    """A public name or behaviour is going to change."""
