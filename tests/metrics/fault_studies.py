"""Recordings with one fault each, what the engine reads from them, and what it should.

One phantom with both tests and impedance is sampled, and spoiled in many ways. The truth is
the phantom's; where the phantom knows none, the sound recording's reading stands in.
"""

import functools
import math
from dataclasses import dataclass, field, replace

import numpy as np

import hrm
from hrm import phantom

RATE = 25.0
TESTS = phantom.Provocation(mrs_runs=1, mrs_ratio=1.5, rdc="pressurized", rdc_after=True)
CLINICAL = {"symptoms": ["dysphagia"]}


@functools.cache
def drawn(hernia=0.0):
    return phantom.draw(
        "hypercontractile",
        seed=40,
        n_supine=3,
        n_upright=1,
        interval_s=25.0,
        hernia_cm=hernia,
        provocation=TESTS,
    )


@dataclass(frozen=True)
class Fault:
    """One spoiled recording.

    `of` gives the phantom, `at` the arguments of its sampling, `change` spoils the pressure
    (sensor, time) in place, `crop` (sensors kept from the top, start and stop in s) comes
    last. `swallow` is the single swallow that is judged, by its place in time; None for all.
    `lose_swallow` says that this one cannot be evaluated.
    """

    of: object = drawn
    at: dict = field(default_factory=dict)
    change: object = None
    crop: tuple = (36, 0.0, math.inf)
    swallow: int | None = None
    lose_swallow: bool = False


@functools.cache
def marks(of=drawn):
    made = of()
    return phantom.truth(made, offset_cm=phantom.default_offset(made))["landmarks"]


def sensor(name, part=0.5, of=drawn):
    """Index of the sensor at a share of the way through a place; the spacing is 1 cm."""
    known = marks(of)
    ends = {
        "ues": (known["ues_upper_cm"], known["ues_lower_cm"]),
        "body": (known["transition_zone_cm"], known["les_upper_cm"]),
        "les": (known["les_upper_cm"], known["les_lower_cm"]),
    }[name]
    return round(ends[0] + part * (ends[1] - ends[0]))


def onset(k, of=drawn):
    """Onset [s] of a single swallow."""
    return [s.onset_s for s in of().swallows if s.protocol == "single"][k]


def missing(name):
    def change(values):
        values[sensor(name)] = np.nan

    return change


def constant(name, level):
    def change(values):
        values[sensor(name)] = level

    return change


def railed(name, level):
    def change(values):
        np.clip(values[sensor(name)], -level, level, out=values[sensor(name)])

    return change


def gap(name, k):
    """A sensor that says nothing for 12 s around a swallow."""

    def change(values):
        start = round((onset(k) - 1.0) * RATE)
        values[sensor(name), start : start + round(12.0 * RATE)] = np.nan

    return change


def moved(k, at_s):
    """The phantom with one single swallow at another time."""

    def of():
        made = drawn()
        wanted = [s for s in made.swallows if s.protocol == "single"][k]
        rows = [replace(s, onset_s=at_s()) if s is wanted else s for s in made.swallows]
        return replace(made, swallows=tuple(sorted(rows, key=lambda s: s.onset_s)))

    return functools.cache(of)


def hernia():
    return drawn(4.0)


EARLY = moved(0, lambda: 0.5)
BEFORE = moved(0, lambda: -0.2)
DOUBLE = moved(1, lambda: onset(0) + 5.0)
LAST_LES = round(
    marks()["les_upper_cm"] + 0.5 * (marks()["les_lower_cm"] - marks()["les_upper_cm"])
)

FAULTS = {
    "missing_les": Fault(change=missing("les")),
    "missing_ues": Fault(change=missing("ues")),
    "missing_body": Fault(change=missing("body")),
    "constant_les": Fault(change=constant("les", 3.0)),
    "constant_ues": Fault(change=constant("ues", 3.0)),
    "constant_body": Fault(change=constant("body", 3.0)),
    "railed_les": Fault(change=railed("les", 20.0)),
    "railed_ues": Fault(change=railed("ues", 30.0)),
    "railed_body": Fault(change=railed("body", 60.0)),
    "gap_les": Fault(change=gap("les", 1), swallow=1),
    "gap_body": Fault(change=gap("body", 1), swallow=1),
    "cut_start": Fault(of=BEFORE, swallow=0, lose_swallow=True),
    "cut_end": Fault(crop=(36, 0.0, onset(3) + 5.0), swallow=3),
    "first_second": Fault(of=EARLY, swallow=0),
    "after_5_s": Fault(of=DOUBLE, swallow=0),
    "no_gastric": Fault(crop=(math.ceil(marks()["les_lower_cm"]) + 1, 0.0, math.inf)),
    "les_at_last": Fault(crop=(LAST_LES + 1, 0.0, math.inf)),
    "steps_3_mmhg": Fault(at={"quantum_mmhg": 3.0}),
    "rate_8_hz": Fault(at={"sampling_rate": 8.0}),
    "rate_200_hz": Fault(at={"sampling_rate": 200.0}),
    "hernia_4_cm": Fault(of=hernia),
}

#: Distance from the truth that is allowed: absolute, and relative to it.
IRP, SOME_S, AREA = (2.0, 0.0), (0.3, 0.0), (25.0, 0.05)
SWALLOW = {
    **dict.fromkeys(
        (
            *("irp4s_mmhg", "irp02s_mmhg", "irp1s_mmhg", "irp2s_mmhg", "irp3s_mmhg"),
            *("irp5s_mmhg", "les_nadir_mmhg", "les_residual_mmhg"),
        ),
        IRP,
    ),
    "ues_residual_mmhg": (3.5, 0.0),
    "ues_irp02s_mmhg": (4.5, 0.0),
    "ues_relaxation_s": (0.15, 0.0),
    "dci_mmhg_s_cm": AREA,
    "dci_box_mmhg_s_cm": AREA,
    # The contour of the contraction may lean on the tone of the LES: with steps of 3 mmHg its end,
    # and with it the window, moves by 1.4 s, in which the tone alone gives 50 to 80.
    "dci_les_mmhg_s_cm": (100.0, 0.1),
    "cfv_cm_s": (0.4, 0.1),
    "distal_latency_s": (0.5, 0.0),
    "break_cm": (1.0, 0.0),
    "ibp_mmhg": (3.0, 0.0),
    "ibp_mean_mmhg": (3.0, 0.0),
    "pressurization": None,
    "type": None,
    "peaks": (0.0, 0.0),
    "hypercontractile_subtype": None,
}
IMPEDANCE = {
    "transit": None,
    "transit_time_s": SOME_S,
    "nadir_impedance_to_peak_s": (0.4, 0.0),
    "nadir_impedance_pressure_mmhg": (3.0, 0.0),
    "flow_ibp_mmhg": (5.0, 0.15),
    "impedance_ratio": (0.03, 0.1),
    "pressure_flow_index": (20.0, 0.25),
    "bolus_flow_time_s": (0.4, 0.0),
}
STUDY = {
    "basal_mean_mmhg": (4.0, 0.1),
    "basal_end_expiratory_mmhg": (3.0, 0.1),
    "basal_inspiratory_mmhg": (3.0, 0.1),
    "egj_ci_mmhg_cm": (1.5, 0.07),
    "egj_ci_total_mmhg_cm": (1.5, 0.07),
    "egj_ci_les_mmhg_cm": (1.5, 0.07),
    "egj_ci_crural_mmhg_cm": (1.5, 0.07),
    "les_length_cm": (0.6, 0.0),
    "les_cd_separation_cm": (0.7, 0.0),
    "morphology": None,
    "ues_resting_mmhg": (3.0, 0.05),
    "distal_baseline_ohm": (50.0, 0.02),
    "mrs_ratio": (0.0, 0.05),
    "mrs_inhibited": None,
    "rdc_pressurized_low_percent": (4.0, 0.0),
    "rdc_pressurized_high_percent": (4.0, 0.0),
    "rdc_irp4s_mmhg": (3.0, 0.0),
    "rdc_contraction_after": None,
    "diagnosis": None,
}
METRICS = {**SWALLOW, **IMPEDANCE, **STUDY}


@functools.cache
def _sampled(of, options):
    """Sample a phantom, once for all faults that only spoil it afterwards."""
    made = of()
    # A moved swallow does not move the catheter.
    offset = phantom.default_offset(made if of is hernia else drawn())
    return phantom.sample(made, offset_cm=offset, impedance=True, markers=False, **dict(options))


def recorded(fault):
    """Make the recording of a fault."""
    how = {"sampling_rate": RATE, **fault.at}
    study = _sampled(fault.of, tuple(how.items()))
    values = study["pressure/pressure"].values.copy()
    if fault.change is not None:
        fault.change(values)
    n_sensors, start_s, stop_s = fault.crop
    rate = how["sampling_rate"]
    columns = slice(round(start_s * rate), min(values.shape[1], round(min(stop_s, 1e6) * rate)))
    ohm = study["impedance"].to_dataset()
    return hrm.make_recording(
        values[:n_sensors, columns],
        sampling_rate=rate,
        depth=np.arange(float(n_sensors)),
        dims=("sensor", "time"),
        attrs={"system": "manoscan"},
        impedance=ohm["impedance"].values[:, columns],
        impedance_depth=ohm["segment_depth"].values,
    )


def read(fault):
    """Numbers of a fault, flat, and the reasons of those that are missing.

    Of a swallow metric a list over the single swallows of the phantom, None where the
    engine found no such swallow.
    """
    study = recorded(fault)
    end = float(study["pressure/time"].values[-1])
    rows = [row for row in phantom.swallow_table(fault.of()) if 0.0 <= row["onset_s"] <= end]
    result = hrm.to_dict(hrm.analyze(study, swallows=rows, clinical=CLINICAL))
    found = [_near(result, s) for s in fault.of().swallows if s.protocol == "single"]
    numbers = {name: [_cell(row, name, 0) for row in found] for name in SWALLOW}
    numbers |= {name: [_cell(row, name, 1) for row in found] for name in IMPEDANCE}
    return numbers | _of_study(result)


def _near(result, swallow):
    pairs = zip(result["swallows"], result["impedance"]["swallows"], strict=True)
    near = [pair for pair in pairs if abs(pair[0]["onset_s"] - swallow.onset_s) < 0.6]
    return near[0] if near else None


def _cell(rows, name, which):
    """Value and reason."""
    if rows is None:
        return None, "not_found"
    row = rows[which]
    if name == "pressurization" and name in row["status"]:
        return None, row["status"][name]
    if row[name] is None and name == "hypercontractile_subtype":
        return None, "no_subtype"
    return row[name], row["status"].get(name, "ok")


def _of_study(result):
    egj = result["egj"]
    out = {name: (egj[name], egj["status"].get(name, "ok")) for name in STUDY if name in egj}
    out["morphology"] = (egj["morphology"], "ok" if egj["morphology"] else "not_measured")
    ues = result["ues"]
    out["ues_resting_mmhg"] = (ues["ues_resting_mmhg"], ues["status"].get("ues_resting_mmhg", "ok"))
    rest = result["impedance"]
    name = "distal_baseline_ohm"
    out[name] = (rest[name], rest["status"].get(name, "ok"))
    out |= _of_tests(result["provocation"])
    verdict = result["classification"]["ccv4"]
    sure = verdict["diagnosis"] not in ("not_classified", "inconclusive")
    out["diagnosis"] = (verdict["diagnosis"], "ok") if sure else (None, "not_classified")
    return out


def _of_tests(block):
    nothing = (None, "not_done")
    names = [name for name in STUDY if name.startswith(("mrs_", "rdc_"))]
    out = dict.fromkeys(names, nothing)
    mrs, rdc = block["mrs"], block["rdc"]
    if mrs:
        run = mrs["runs"][0]
        out["mrs_ratio"] = (mrs["ratio"], mrs["status"].get("ratio", "ok"))
        out["mrs_inhibited"] = (run["inhibited"], run["status"].get("inhibited", "ok"))
    if rdc:
        run = rdc["runs"][0]
        for name, key in (
            ("rdc_pressurized_low_percent", "pressurized_low_percent"),
            ("rdc_pressurized_high_percent", "pressurized_high_percent"),
            ("rdc_irp4s_mmhg", "irp4s_during_mmhg"),
            ("rdc_contraction_after", "contraction_after"),
        ):
            out[name] = (run[key], run["status"].get(key, "ok" if run[key] is not None else "lost"))
    return out


@functools.cache
def truth(of=drawn):
    """What the engine should read, in the form of `read`; the sound reading where unknown."""
    made = hernia() if of is hernia else drawn()
    offset = phantom.default_offset(made)
    known = phantom.truth(made, offset_cm=offset)
    plain = read(Fault(of=hernia if of is hernia else drawn))
    rows = [row for row in known["swallows"] if row["protocol"] == "single"]
    out = {name: [value for value, _ in plain[name]] for name in (*SWALLOW, *IMPEDANCE)}
    for name in SWALLOW:
        if name in rows[0]:
            out[name] = [row[name] for row in rows]
    out |= {name: plain[name][0] for name in STUDY}
    for name in ("egj_ci_mmhg_cm", "egj_ci_les_mmhg_cm", "egj_ci_crural_mmhg_cm"):
        out[name] = known["egj"][name]
    out |= {name: known["egj"][name] for name in ("les_length_cm", "les_cd_separation_cm")}
    out["ues_resting_mmhg"] = known["ues"]["resting_mmhg"]
    tests = known["provocation"]
    out["mrs_ratio"] = tests["mrs"]["ratio"]
    out["dci_after"] = tests["mrs"]["runs"][0]["dci_after_mmhg_s_cm"]
    for level, key in (("low", 20), ("high", 30)):
        out[f"rdc_pressurized_{level}_percent"] = tests["rdc"][f"pressurized_{key}_percent"]
    out["rdc_contraction_after"] = tests["rdc"]["after_contraction"]
    out["diagnosis"] = known["diagnosis"]
    if of is DOUBLE:
        # Two contractions lie in the window of the second swallow, by definition.
        doubled = phantom.truth(DOUBLE(), offset_cm=phantom.default_offset(drawn()))
        out["mrs_ratio"] = doubled["provocation"]["mrs"]["ratio"]
    return out


def judge(name, value, reason, known):
    """``right``, ``wrong`` or the reason."""
    if value is None:
        return reason
    if known is None:
        return "wrong"
    if METRICS[name] is None:
        return "right" if value == known else "wrong"
    absolute, relative = METRICS[name]
    room = absolute + relative * abs(known)
    return "right" if abs(value - known) <= room + 1e-9 else "wrong"


def verdicts(name):
    """By metric the set of what its cells are, over the swallows that are judged."""
    fault = FAULTS[name]
    seen, known = read(fault), truth(fault.of)
    if fault.lose_swallow:
        # The ratio is over the mean of the supine swallows that are left.
        size = known["dci_mmhg_s_cm"]
        left = [value for k, value in enumerate(size[:3]) if k != fault.swallow]
        known = {**known, "mrs_ratio": known["dci_after"] / float(np.mean(left))}
    out = {}
    for metric in METRICS:
        if metric in STUDY:
            out[metric] = {judge(metric, *seen[metric], known[metric])}
            continue
        cells = list(zip(seen[metric], known[metric], strict=True))
        if fault.swallow is not None:
            cells = [cells[fault.swallow]]
        out[metric] = {judge(metric, *cell, k) for cell, k in cells}
    return out
