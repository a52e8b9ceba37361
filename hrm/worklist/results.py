"""What a reading amounts to: the recording analyzed with it, kept until the log changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hrm import __version__, catalog
from hrm._files import new_file
from hrm.readings import Reading
from hrm.worklist.plan import WorklistPlan
from hrm.worklist.studies import KEPT, Study


class Results:
    """Results of the readings of a folder.

    Parameters
    ----------
    folder : Path
        Of the worklist; what was computed is kept in it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / KEPT / "results"

    def of(self, study: Study, reading: Reading | None) -> dict[str, Any]:
        """Give the result of one reading in hrm's contract; of None the automatic result.

        Raises
        ------
        HrmError
            If the recording or the log cannot be used.
        """
        path = self._folder / f"{self._name(study, reading)}.json"
        if path.exists():
            try:
                kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            except ValueError:
                path.unlink()  # half a file of an older crash: it is made anew
            else:
                return kept
        made = _analyzed(study, reading)
        self._folder.mkdir(parents=True, exist_ok=True)
        with new_file(path, overwrite=True) as place:
            place.write_text(json.dumps(made, allow_nan=False), encoding="utf-8")
        return made

    def differ(self, study: Study, plan: WorklistPlan) -> Any:
        """Give the comparison of two readings of a study, as `state_of` takes it."""

        def compared(one: Reading, other: Reading | None) -> bool:
            return bool(differences(self.of(study, one), self.of(study, other), plan))

        return compared

    @staticmethod
    def _name(study: Study, reading: Reading | None) -> str:
        from hashlib import sha256

        head = reading.corrections.head_hash if reading else "automatic"
        engine = f"{__version__}+{catalog.definitions_id()}"
        content = f"{study.sha256}|{study.settings.to_json()}|{engine}|{head}"
        return sha256(content.encode()).hexdigest()[:32]


def _analyzed(study: Study, reading: Reading | None) -> dict[str, Any]:
    from hrm.batch.worker import Job, engine_id, open_input, swallows_of
    from hrm.pipeline import analyze
    from hrm.results import to_dict

    said = study.settings
    recording = open_input(Job(0, str(study.path), said, engine_id()))
    return to_dict(
        analyze(
            recording,
            system=said.system,
            posture=said.posture,
            swallows=swallows_of(said, recording),
            clinical=said.clinical(),
            irp_limit=said.irp_limit,
            parameters=said.parameters,
            review=list(reading.edits) if reading and reading.edits else None,
        )
    )


def differences(one: dict[str, Any], other: dict[str, Any], plan: WorklistPlan) -> list[str]:
    """Say on what two results disagree.

    Parameters
    ----------
    one, other : dict
        In hrm's contract.
    plan : WorklistPlan
        Which differences count.

    Returns
    -------
    list of str
        Of `hrm.worklist.plan.DISAGREEMENTS`; empty if the readers agree.
    """
    sides = [_facts(result) for result in (one, other)]
    return [name for name in plan.disagreement if sides[0][name] != sides[1][name]]


def _facts(result: dict[str, Any]) -> dict[str, Any]:
    rows = [row for row in result["swallows"] if row["evaluable"]]
    trees = result["classification"]
    return {
        "diagnosis": [trees[key]["diagnosis"] for key in ("ccv4", "ccv3")],
        "swallow_types": [row["type"] for row in rows],
        "n_swallows": len(rows),
    }
