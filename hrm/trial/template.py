"""The files that a trial begins with: a commented plan, and CSV with headings only."""

from __future__ import annotations

from pathlib import Path

from hrm._files import check_target, new_file
from hrm.trial import clinical
from hrm.trial.plan import FILE_NAME

PLAN = """\
# The plan of the trial. Fill in every empty value: hrm has no default for a clinical decision.
[trial]
title = ""
# Draws the dummy arms of a blinded report.
seed = 1
# What stands in the data for a missing item, beside an empty cell.
missing_codes = []
# The reasons that column `excluded` of participants.csv may hold.
excluded_reasons = ["not eligible", "declined"]

[arms]
test = ""
reference = ""

# Study days are counted from randomization.
[baseline]
name = "baseline"
window_days = []

[primary]
name = "12 months"
window_days = []

[success]
# The Eckardt score succeeds if it is: comparator ("<" or "<=") cutoff. Both are decisions.
#cutoff =
comparator = ""
# "missing": no outcome without all four items; "decided": an outcome if the others decide it.
missing_items = ""
#retreatment_is_failure =

[analysis]
# Largest acceptable loss of success, as a proportion, and the one-sided alpha.
#margin =
#alpha =
# "miettinen-nurminen" or "farrington-manning"; the interval is the one that inverts the test.
method = ""
# Missing outcome by intention to treat: "failure", "success" or "exclude".
missing_outcome = ""
# A visit outside its window: "use" or "missing".
outside_window = ""
"""


def write_templates(folder: Path) -> list[Path]:
    """Write the files of a new trial; none if one of them exists.

    Raises
    ------
    FileExistsError
        If one is there already.
    """
    texts = {FILE_NAME: PLAN}
    for name, columns in (
        (clinical.PARTICIPANTS, clinical.PARTICIPANT_COLUMNS),
        (clinical.VISITS, clinical.VISIT_COLUMNS),
        (clinical.ALLOCATION, clinical.ALLOCATION_COLUMNS),
    ):
        texts[name] = ",".join(columns) + "\n"
    folder.mkdir(exist_ok=True)
    for name in texts:
        check_target(folder / name, overwrite=False)
    for name, text in texts.items():
        with new_file(folder / name) as place:
            place.write_bytes(text.encode())
    return [folder / name for name in texts]
