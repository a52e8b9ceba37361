"""A trial of four participants and a ledger to go with it, written by hand."""

import json

from hrm.store import Ledger
from hrm.store.ledger import Attempted, Key, Measured


def plan(*, seed=3, excluded=("declined",), outside_window="missing", synthetic=True):
    """Text of a trial's plan: risk difference at 1 year, noninferior within 20 %."""
    return f"""
[trial]
title = "Posterior against anterior myotomy"
seed = {seed}
missing_codes = ["-99"]
excluded_reasons = {json.dumps(list(excluded))}
{'synthetic = "SYNTHETIC DATA"' if synthetic else ""}
[arms]
test = "posterior"
reference = "anterior"
[baseline]
name = "before"
window_days = [-90, 0]
[primary]
name = "1 year"
window_days = [300, 430]
[success]
cutoff = 3
comparator = "<"
missing_items = "missing"
retreatment_is_failure = true
[analysis]
margin = 0.2
alpha = 0.025
method = "miettinen-nurminen"
missing_outcome = "failure"
outside_window = "{outside_window}"
"""


PLAN = plan()
OPTIONS = """
[[further_visit]]
name = "3 months"
window_days = [60, 120]
[manometry]
batches = ["results"]
les_pressure = "end_expiratory"
posture = "supine"
same_system = true
[adverse_events]
lexicon = "AGREE"
early_days = 14
[failure]
times_days = [180, 365]
horizon_days = 365
interval = "log-log"
[[variable]]
name = "age"
adam = "AGE"
label = "Age"
kind = "mean"
unit = "years"
levels = []
group = "baseline"
subgroup = false
stratum = false
[[variable]]
name = "la_grade"
adam = "LAGRADE"
label = "Los Angeles grade"
kind = "category"
unit = ""
levels = ["none", "A"]
group = "reflux"
subgroup = false
stratum = false
"""
PARTICIPANTS = """participant,excluded,treated,per_protocol
P1,,yes,yes
P2,,yes,yes
P3,,yes,yes
P4,,yes,yes
P9,declined,no,no
"""
# P2 was retreated at 3 months and never came again; P4 came too late.
VISITS = """participant,visit,study_day,dysphagia,regurgitation,chest_pain,weight_loss,retreated
P1,before,-5,3,2,1,1,no
P2,before,-5,3,3,2,0,no
P3,before,-5,2,2,1,1,no
P4,before,-5,3,2,1,1,no
P1,3 months,90,0,0,0,0,no
P2,3 months,90,2,0,0,0,yes
P3,3 months,90,1,2,1,0,no
P1,1 year,365,1,1,0,0,no
P3,1 year,365,1,0,0,0,no
P4,1 year,440,0,0,0,0,no
"""
VARIABLES = "participant,age,la_grade\nP1,40.5,A\nP2,-99,none\nP3,50,\nP4,61,A\n"
EVENTS = """participant,term,during_procedure,days_after,grade,serious,related,incident
P1,leak,no,3,IIIa,yes,yes,no
P3,mucosotomy,yes,,,no,yes,yes
P4,reflux,no,40,I,no,,no
"""
DEVIATIONS = "participant,kind,leaves_set\nP3,late consent,no\n"
ALLOCATION = "participant,arm\nP1,posterior\nP2,posterior\nP3,anterior\nP4,anterior\n"
FILES = {
    "trial.toml": PLAN + OPTIONS,
    "participants.csv": PARTICIPANTS,
    "visits.csv": VISITS,
    "variables.csv": VARIABLES,
    "events.csv": EVENTS,
    "deviations.csv": DEVIATIONS,
    "allocation.csv": ALLOCATION,
}


def written(folder, files=FILES):
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def edited(folder, name, *changes):
    text = (folder / name).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / name).write_text(text, encoding="utf-8")


def recording(file, participant, visit, les, dcis=(400.0,), **how):
    """What a ledger has of one recording; `file` makes its digest."""
    sha = file * 64
    who = how.get("who", "automatic")
    source = f"{sha}#hrm-9#1-abc#{who}"
    status = "ok" if les is not None else "egj_not_found"
    posture = how.get("posture", "supine")
    numbers = {
        "basal_end_expiratory_mmhg": (les, "mmHg", status),
        "basal_mean_mmhg": (None if les is None else les + 5.0, "mmHg", status),
        "irp4s_median_supine_mmhg": (les, "mmHg", status),
        "egj_ci_mmhg_cm": (les, "mmHg cm", status),
        "percent_panesophageal": (50.0, "%", "ok"),
    }
    metrics = [(None, name, *row, "1", source) for name, row in numbers.items()]
    metrics += [
        (k, "dci_mmhg_s_cm", dci, "mmHg s cm", "ok", "1", source) for k, dci in enumerate(dcis)
    ]
    evaluable = how.get("evaluable", [1] * len(dcis))
    swallows = [
        (k, 10.0 * k, posture, "single", evaluable[k], None, "normal", None)
        for k in range(len(dcis))
    ]
    result = {
        "recording": {"system": how.get("system", "manoscan")},
        "classification": {"ccv4": {"diagnosis": "achalasia_type_2"}},
    }
    outcome = Measured(
        f"study-{file}",
        participant,
        visit,
        "{}",
        json.dumps(result),
        None,
        tuple(swallows),
        tuple(metrics),
    )
    return Attempted(Key(sha, "s", "9", how.get("review", "")), outcome, (), 0.1)


#: The recordings of the trial: P1 a pair; P2 without a pressure after, which is not 0; P3 with two
#: systems; P4 outside the window; P9 was not randomized.
RECORDINGS = (
    recording("a", "P1", "before", 40.0, (100.0, 300.0, 900.0)),
    recording("b", "P1", "1 year", 12.0),
    recording("c", "P2", "before", 30.0),
    recording("d", "P2", "3 months", None),
    recording("e", "P3", "before", 36.0),
    recording("f", "P3", "1 year", 10.0, system="mms_wp"),
    recording("1", "P4", "before", 50.0),
    recording("2", "P4", "1 year", 11.0),
    recording("3", "P9", "before", 20.0),
)


def ledger_of(folder, recordings=RECORDINGS, name="results"):
    with Ledger(folder / name, write=True) as ledger:
        run = ledger.begin_run(engine="9", inputs=len(recordings))
        for number, each in enumerate(recordings):
            said = {"path": f"/in/{number}", "size": 1, "modified_ns": 2}
            (place,) = ledger.register(
                run, [{**said, "sha256": None, "manifest_row": None, "holds": False}]
            )
            ledger.record(run, place, each)
        ledger.end_run(run)
    return folder


def reviewed(folder, old, new, name="results"):
    """Record an input once more, as after a review."""
    with Ledger(folder / name, write=True) as ledger:
        run = ledger.begin_run(engine="9", inputs=1)
        said = {"path": "/in/0", "size": 1, "modified_ns": 2}
        (place,) = ledger.register(
            run, [{**said, "sha256": None, "manifest_row": None, "holds": False}]
        )
        for each in (old, new):
            ledger.record(run, place, each)
        ledger.end_run(run)
