"""The clinical files of a trial: their names, and the columns that each has."""

from __future__ import annotations

from hrm.trial.eckardt import ITEMS

PARTICIPANTS, VISITS, ALLOCATION = "participants.csv", "visits.csv", "allocation.csv"
VARIABLES, EVENTS, DEVIATIONS = "variables.csv", "events.csv", "deviations.csv"

PARTICIPANT_COLUMNS = ("participant", "excluded", "treated", "per_protocol")
VISIT_COLUMNS = ("participant", "visit", "study_day", *ITEMS, "retreated")
ALLOCATION_COLUMNS = ("participant", "arm")
EVENT_COLUMNS = (
    *("participant", "term", "during_procedure", "days_after", "grade"),
    *("serious", "related", "incident"),
)
EVENT_FLAGS = ("during_procedure", "serious", "related", "incident")
DEVIATION_COLUMNS = ("participant", "kind", "leaves_set")
