"""The same trial as plain files and as a raw REDCap export; and what an export is refused for."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hrm.errors import FormatError, HrmError, ParameterError
from hrm.trial.inputs.clinical import read_clinical
from hrm.trial.inputs.plan import read_plan
from tests.trial.small import FILES, OPTIONS, PLAN, edited, written

WITHOUT_RECORDINGS = OPTIONS[: OPTIONS.index("[manometry]")] + OPTIONS[OPTIONS.index("[adverse") :]
REDCAP = """
[redcap]
export = "redcap.csv"
dictionary = "dictionary.csv"
separator = ";"
decimal = ","
record = "record_id"
[redcap.events]
screening_arm_1 = ""
before_arm_1 = "before"
m3_arm_1 = "3 months"
y1_arm_1 = "1 year"
[redcap.participants_fields]
excluded = "reason"
treated = "poem"
per_protocol = "sets___pp"
[redcap.visits_fields]
study_day = "day"
dysphagia = "eck_dys"
regurgitation = "eck_reg"
chest_pain = "eck_cp"
weight_loss = "eck_wl"
retreated = "retreated"
[redcap.variables_fields]
age = "age"
la_grade = "la"
[redcap.events_fields]
instrument = "adverse_event"
term = "ae_term"
during_procedure = "ae_during"
days_after = "ae_day"
grade = "ae_grade"
serious = "ae_serious"
related = "ae_related"
incident = "ae_incident"
[redcap.deviations_fields]
instrument = "deviation"
kind = "dev_kind"
leaves_set = "dev_leaves"
"""
DICTIONARY = """\
Variable / Field Name,Form Name,Field Type,"Choices, Calculations, OR Slider Labels",Text Validation
record_id,screening,text,,
reason,screening,dropdown,"1, declined | 2, not eligible",
poem,screening,yesno,,
sets,screening,checkbox,"itt, ITT | pp, Per protocol",
age,screening,text,,number_comma_decimal
la,endoscopy,radio,"0, none | 1, A",
day,visit,text,,integer
eck_dys,visit,radio,"0, none | 1, occasional | 2, daily | 3, each meal",
eck_reg,visit,radio,"0, none | 1, occasional | 2, daily | 3, each meal",
eck_cp,visit,radio,"0, none | 1, occasional | 2, daily | 3, each meal",
eck_wl,visit,radio,"0, none | 1, occasional | 2, daily | 3, each meal",
retreated,visit,radio,"0, No | 1, Yes",
ae_term,adverse_event,text,,
ae_during,adverse_event,yesno,,
ae_day,adverse_event,text,,integer
ae_grade,adverse_event,dropdown,"1, I | 3, IIIa",
ae_serious,adverse_event,yesno,,
ae_related,adverse_event,yesno,,
ae_incident,adverse_event,yesno,,
dev_kind,deviation,text,,
dev_leaves,deviation,truefalse,,
"""
HEADS = (
    *("record_id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"),
    *("reason", "poem", "sets___itt", "sets___pp", "age", "la", "screening_complete"),
    *("day", "eck_dys", "eck_reg", "eck_cp", "eck_wl", "retreated", "visit_timestamp"),
    *("ae_term", "ae_during", "ae_day", "ae_grade", "ae_serious", "ae_related", "ae_incident"),
    *("dev_kind", "dev_leaves"),
)
_EVENTS = {"before": "before_arm_1", "3 months": "m3_arm_1", "1 year": "y1_arm_1"}


def cells(text):
    heads, *rows = [line.split(",") for line in text.splitlines()]
    return [dict(zip(heads, row, strict=True)) for row in rows]


def truth(text):
    return {"yes": "1", "no": "0", "": ""}[text]


def rows():
    """Write the plain files of the small trial as REDCap would export them."""
    values = {row["participant"]: row for row in cells(FILES["variables.csv"])}
    for row in cells(FILES["participants.csv"]):
        own = values.get(row["participant"], {"age": "", "la_grade": ""})
        yield {
            "record_id": row["participant"],
            "redcap_event_name": "screening_arm_1",
            "reason": {"declined": "1", "": ""}[row["excluded"]],
            "poem": truth(row["treated"]),
            "sets___itt": "1",
            "sets___pp": truth(row["per_protocol"]),
            "age": own["age"].replace(".", ","),
            "la": {"none": "0", "A": "1", "": ""}[own["la_grade"]],
            "screening_complete": "2",
        }
    for row in cells(FILES["visits.csv"]):
        yield {
            "record_id": row["participant"],
            "redcap_event_name": _EVENTS[row["visit"]],
            "day": row["study_day"],
            "eck_dys": row["dysphagia"],
            "eck_reg": row["regurgitation"],
            "eck_cp": row["chest_pain"],
            "eck_wl": row["weight_loss"],
            "retreated": truth(row["retreated"]),
        }
    for number, row in enumerate(cells(FILES["events.csv"]), start=1):
        yield {
            "record_id": row["participant"],
            "redcap_event_name": "screening_arm_1",
            "redcap_repeat_instrument": "adverse_event",
            "redcap_repeat_instance": str(number),
            "ae_term": row["term"],
            "ae_day": row["days_after"],
            "ae_grade": {"IIIa": "3", "I": "1", "": ""}[row["grade"]],
            "ae_during": truth(row["during_procedure"]),
            "ae_serious": truth(row["serious"]),
            "ae_related": truth(row["related"]),
            "ae_incident": truth(row["incident"]),
        }
    yield {
        "record_id": "P3",
        "redcap_event_name": "screening_arm_1",
        "redcap_repeat_instrument": "deviation",
        "redcap_repeat_instance": "1",
        "dev_kind": "late consent",
        "dev_leaves": "0",
    }


def export(heads=HEADS):
    lines = [";".join(heads)]
    lines += [";".join(row.get(head, "") for head in heads) for row in rows()]
    return "\n".join(lines) + "\n"


@pytest.fixture
def folder(tmp_path):
    files = {"trial.toml": PLAN + WITHOUT_RECORDINGS + REDCAP}
    files |= {"redcap.csv": export(), "dictionary.csv": DICTIONARY}
    return written(tmp_path, files)


def read(folder):
    return read_clinical(folder, read_plan(folder / "trial.toml"), None)


def test_an_export_says_the_same_as_plain_files(folder, tmp_path_factory):
    plain = written(tmp_path_factory.mktemp("plain"), FILES)
    (plain / "trial.toml").write_text(PLAN + WITHOUT_RECORDINGS, encoding="utf-8")
    one, two = read(folder), read(plain)
    assert one.participants == two.participants
    assert one.visits == two.visits
    assert one.further == two.further
    assert set(one.sha256) == {"redcap.csv", "dictionary.csv"}


def test_every_fault_of_an_export_at_once_with_row_and_column(folder):
    edited(
        folder,
        "redcap.csv",
        ("visit_timestamp", "Visit: when?"),  # a header that is a label
        ("P1;screening_arm_1;;;;1;1;1;40,5", "P1;screening_arm_1;;;;1;1;Checked;40.5"),
        ("P2;before_arm_1", "P2;before_arm_2"),
        ("P3;before_arm_1", "P1;before_arm_1"),
        ("P4;before_arm_1;;;;;;;;;;-5;3", "P4;before_arm_1;;;;;;;;;;-5;daily"),
    )
    with pytest.raises(FormatError) as caught:
        read(folder)
    text = str(caught.value)
    for place in (
        *("redcap.csv row 1, column 18", "redcap.csv row 2, sets___pp", "redcap.csv row 2, age"),
        *("redcap.csv row 8, redcap_event_name", "redcap.csv row 9, record_id"),
        "redcap.csv row 10, eck_dys",
    ):
        assert place in text, place
    for value in ("Visit: when", "Checked", "40.5", "daily", "arm_2"):
        assert value not in text


def test_faults_of_meaning_name_the_field_and_row_of_the_export(folder):
    edited(
        folder,
        "redcap.csv",
        ("P1;screening_arm_1;;;;1;1;1;40,5", "P1;screening_arm_1;;;;1;1;1;forty"),
    )
    with pytest.raises(
        FormatError, match=r"redcap.csv \(variables\) row 2, age: expected a number"
    ):
        read(folder)


def test_one_record_cannot_say_two_things(folder):
    edited(folder, "redcap.csv", ("P1;before_arm_1;;;;;", "P1;before_arm_1;;;;0;"))
    with pytest.raises(FormatError, match="poem: expected the same value"):
        read(folder)


def test_a_missing_code_is_missing_and_blank_is_not_no(folder):
    assert "P2" not in read(folder).further.values["age"]
    edited(folder, "redcap.csv", ("P1;screening_arm_1;;;;1;", "P1;screening_arm_1;;;;;"))
    with pytest.raises(FormatError, match="row 2, poem: expected yes or no"):
        read(folder)


def test_a_field_that_is_not_in_the_export(folder):
    edited(folder, "trial.toml", ('"eck_dys"', '"eck_dis"'))
    with pytest.raises(FormatError, match=r"visits_fields.dysphagia: expected a field of the exp"):
        read(folder)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('separator = ";"', 'separator = "tab"', "redcap.separator"),
        ('record = "record_id"\n', "", "redcap.record is missing"),
        ('instrument = "deviation"\n', "", "deviations_fields.instrument is missing"),
        ("[redcap.visits_fields]", "[redcap.visit_fields]", "redcap.visits_fields is missing"),
    ],
)
def test_faults_of_the_map(folder, old, new, said):
    edited(folder, "trial.toml", (old, new))
    with pytest.raises(ParameterError, match=said):
        read(folder)


def test_files_that_are_no_export(folder):
    (folder / "dictionary.csv").write_text("field,type\na,text\n", encoding="utf-8")
    with pytest.raises(FormatError, match=r"dictionary.csv row 1: expected the columns"):
        read(folder)
    (folder / "dictionary.csv").write_text(DICTIONARY, encoding="utf-8")
    for content in (b"", b"\xff\xfe", b'"unfinished', b"record_id;record_id\nP1;P1\n"):
        (folder / "redcap.csv").write_bytes(content)
        with pytest.raises(FormatError):
            read(folder)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["redcap.csv", "dictionary.csv"]),
    st.integers(0, 3000),
    st.binary(min_size=1, max_size=6),
)
def test_whatever_stands_in_a_file_only_a_named_fault_leaves(folder, name, place, junk):
    content = {"redcap.csv": export(), "dictionary.csv": DICTIONARY}[name].encode()
    try:
        (folder / name).write_bytes(content[:place] + junk + content[place + len(junk) :])
        read(folder)
    except HrmError:
        pass
    finally:
        (folder / name).write_bytes(content)
