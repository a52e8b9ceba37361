"""Where the sheets of a trial come from: plain CSV files, or one REDCap export."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hrm.trial.inputs.plan import TrialPlan
from hrm.trial.inputs.redcap import read_redcap
from hrm.trial.inputs.sheets import Sheet, read_sheet


class Source:
    """The clinical data of a trial, sheet by sheet.

    Parameters
    ----------
    folder : Path
    plan : TrialPlan
    """

    def __init__(self, folder: Path, plan: TrialPlan) -> None:
        self._folder = folder
        self._redcap = read_redcap(folder, plan.redcap, plan.missing_codes) if plan.redcap else None

    def sheet(
        self,
        name: str,
        columns: Sequence[str],
        *,
        numbers: Sequence[str] = (),
        flags: Sequence[str] = (),
    ) -> Sheet:
        """Give the sheet that a file of this name would hold.

        Parameters
        ----------
        name : str
            Like ``visits.csv``.
        columns : sequence of str
        numbers : sequence of str
            The columns that hold numbers.
        flags : sequence of str
            The columns that hold yes or no.
        """
        if self._redcap is None:
            return read_sheet(self._folder / name, name, columns)
        sheet = self._redcap.part(name.removesuffix(".csv"), columns, numbers, flags)
        if sheet is None:
            sheet = Sheet(name, [], "")
            sheet.faults.append(f"redcap.{name.removesuffix('.csv')}_fields is missing in the plan")
        return sheet

    def has(self, name: str) -> bool:
        """Whether there is such a sheet."""
        if self._redcap is None:
            return (self._folder / name).exists()
        return name.removesuffix(".csv") in self._redcap.choice.parts

    def whole_files(self) -> list[Sheet]:
        """Give the files themselves, where they are not the sheets: their faults and digests."""
        return [] if self._redcap is None else [self._redcap.export, self._redcap.dictionary]
