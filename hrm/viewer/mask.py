"""What a blinded reader must not see, taken out of everything that leaves the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

#: What stands where a diagnosis would.
_NO_TREE: Mapping[str, Any] = {
    "diagnosis": None,
    "hidden": True,
    "conclusive": False,
    "limited": False,
    "considerations": [],
    "warnings": [],
    "rationale": [],
}
#: Blocks of a result that say how sure the diagnosis is, or what else it might be.
_OF_DIAGNOSIS = ("stability", "sensitivity")
_LEAST_NAME = 3


@dataclass(frozen=True)
class Mask:
    """What a study is called, and what is hidden of it.

    Attributes
    ----------
    code : str
        What the page calls the study.
    file : str
        Path of the recording; never shown.
    sha256 : str
        Of the recording; leads back to the file.
    blinded : bool
        Hide what says whose recording it is, which visit or arm, and when.
    no_diagnosis : bool
        Hide the diagnosis and what leads to it.
    """

    code: str = ""
    file: str = ""
    sha256: str = ""
    blinded: bool = False
    no_diagnosis: bool = False

    def result(self, result: Any) -> Any:
        """Give a result without what is hidden; of None, None."""
        if result is None:
            return None
        out = dict(result)
        if self.blinded:
            out["recording"] = {
                **out["recording"],
                "study_id": self.code,
                "sha256": None,
                "time_offset_s": None,
            }
            # Times and digests of a log say when the study was read, and lead back to it.
            if out.get("review"):
                out["review"] = {**out["review"], "head_hash": None}
        if self.no_diagnosis:
            tree = {"ccv4": dict(_NO_TREE), "ccv3": dict(_NO_TREE), "difference": None}
            out = {name: block for name, block in out.items() if name not in _OF_DIAGNOSIS}
            out["classification"] = tree
            # The rows that were used are those of the path through the tree.
            out["engine"] = {**out["engine"], "limit_ids": []}
        return self.words(out)

    def recording(self, recording: xr.DataTree) -> xr.DataTree:
        """Give a recording that is called by the code, whatever is made of it later."""
        if not self.blinded:
            return recording
        out = recording.copy()
        out.attrs["study_id"] = self.code
        return out

    def explains(self, metric: str) -> bool:
        """Whether a number may be explained."""
        return not (self.no_diagnosis and metric.startswith("diagnosis"))

    def words(self, content: Any) -> Any:
        """Give texts with the code in place of path, file name and digest."""
        if not self.blinded:
            return content
        return _replaced(content, self._names())

    def _names(self) -> tuple[tuple[str, str], ...]:
        path = Path(self.file)
        names = [self.sha256, self.sha256[:12], self.file, str(path.parent), path.name, path.stem]
        long = {name for name in names if len(name) >= _LEAST_NAME}
        return tuple((name, self.code) for name in sorted(long, key=len, reverse=True))


def _replaced(content: Any, names: tuple[tuple[str, str], ...]) -> Any:
    if isinstance(content, str):
        for name, code in names:
            content = content.replace(name, code)
        return content
    if isinstance(content, dict):
        return {key: _replaced(value, names) for key, value in content.items()}
    if isinstance(content, list):
        return [_replaced(value, names) for value in content]
    return content
