"""The files that a trial begins with: a commented plan, and CSV with headings only."""

from __future__ import annotations

from pathlib import Path

from hrm._files import check_target, new_file
from hrm.trial.inputs import layout
from hrm.trial.inputs.plan import FILE_NAME

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
# Said on every page if the data are made up; leave it out if they are not.
#synthetic = ""

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

# What follows is optional: a table that is not there is a part that the trial does not have.
# One that is there needs every key.

# Visits between baseline and primary; one table each.
#[[further_visit]]
#name = "3 months"
#window_days = [60, 120]

# Results of `hrm batch`, joined by the participant and the visit said there.
#[manometry]
#batches = ["results"]
# LES resting pressure: "end_expiratory" or "respiratory_mean".
#les_pressure = ""
# Swallows that count: "supine" or "upright".
#posture = ""
# true: a pair recorded with two systems has no change, and is counted.
#same_system =

# events.csv. Lexicon of the grades: "ASGE" or "AGREE"; until which day an event is early.
#[adverse_events]
#lexicon = ""
#early_days =

# Time to failure [days]: where the curve is read, horizon of its mean, and the scale of its
# limits: "log-log", "log" or "plain".
#[failure]
#times_days = []
#horizon_days =
#interval = ""

# A column of variables.csv; one table each. adam: its name in ADSL. kind: "mean", "median",
# "category" (with levels) or "yes-no". group: "baseline", "procedure" or "reflux".
#[[variable]]
#name = "age"
#adam = "AGE"
#label = "Age"
#kind = "mean"
#unit = "years"
#levels = []
#group = "baseline"
#subgroup = false
#stratum = false

# deviations.csv is read if it is there.

# A raw REDCap export with its dictionary in place of the CSV files; docs/trial/inputs.md has
# the tables that map its fields.
#[redcap]
#export = ""
#dictionary = ""
# How the export is written: "," or ";" between cells, "." or "," in numbers.
#separator = ""
#decimal = ""
#record = "record_id"
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
        (layout.PARTICIPANTS, layout.PARTICIPANT_COLUMNS),
        (layout.VISITS, layout.VISIT_COLUMNS),
        (layout.ALLOCATION, layout.ALLOCATION_COLUMNS),
        (layout.EVENTS, layout.EVENT_COLUMNS),
        (layout.DEVIATIONS, layout.DEVIATION_COLUMNS),
    ):
        texts[name] = ",".join(columns) + "\n"
    folder.mkdir(exist_ok=True)
    for name in texts:
        check_target(folder / name, overwrite=False)
    for name, text in texts.items():
        with new_file(folder / name) as place:
            place.write_bytes(text.encode())
    return [folder / name for name in texts]
