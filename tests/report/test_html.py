"""The report as a page: what it says is what the PDF and the contract say, and it stands alone."""

import base64
import hashlib
import re

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.text import Text

import hrm
from hrm import phantom
from hrm.cli.main import main
from hrm.errors import ParameterError, SchemaError
from hrm.plot._labels import groups
from hrm.report import beside, model, swallow_rows, wording, write_html, write_visits_html
from hrm.report.draft import DRAFT
from hrm.report.html import page, visits_page
from hrm.report.joined import script
from hrm.report.pdf import pages
from tests.report.pages import Page, links


@pytest.fixture(scope="module")
def normal(make):
    return make("normal", 4, 1)


@pytest.fixture(scope="module")
def shown(normal):
    return Page(page(normal))


def flat(text):
    return " ".join(text.split())


def texts_of(result, **fields):
    """Everything that the model has to say of a study."""
    keys = model.limit_keys(result)
    yield from model.sources(result)
    yield from (text for pair in model.fields(result, **fields) for text in pair)
    for verdict in model.verdicts(result, keys):
        yield from (verdict.version, verdict.label, verdict.standing, *verdict.remarks)
        yield from (text for _, text in verdict.rules)
        yield from verdict.provisional
    yield from (model.why_differ(result), model.summary(result), *model.warnings(result))
    yield from (text for pair in model.treated(result)[0] for text in pair)
    for block in model.rest(result):
        yield from (block.heading, *block.lines, *(text for pair in block.pairs for text in pair))
    letters = swallow_rows.reasons(result)
    yield from (wording.shares(result), swallow_rows.footnote(result, letters))
    yield from (text for _, text in model.limits(result, keys))
    yield from (model.limits_note(result), model.foot(result))


STUDIES = {
    "normal": {"phenotype": "normal", "n_supine": 4, "n_upright": 1},
    "type 2": {"phenotype": "achalasia_type_2", "n_supine": 4},
    "not classified": {"phenotype": "achalasia_type_2", "n_supine": 4, "posture": False},
    "operated": {
        "phenotype": "egjoo",
        "n_supine": 4,
        "clinical": (("prior_surgery", "fundoplication"),),
    },
    "absent": {"phenotype": "absent_contractility", "n_supine": 4},
}


@pytest.mark.parametrize("case", STUDIES)
def test_it_says_what_the_pdf_says_in_the_same_words(make, case):
    study = make(**STUDIES[case])
    said = {"reason_for_referral": "Dysphagia", "clinical_diagnosis": "GERD?"}
    text = Page(page(study, **said)).text
    letters = [each.get_text() for sheet in pages(study, **said) for each in sheet.findobj(Text)]
    # Lines of the PDF break anywhere, also between columns: its words are compared.
    words = set(flat(" ".join(letters)).split())
    for each in texts_of(hrm.to_dict(study), **said):
        assert flat(each) in text
        assert set(each.split()) <= words | {"•"}, each


def test_every_rule_says_whether_it_is_met(make):
    result, study = hrm.to_dict(make("achalasia_type_2", 4)), make("achalasia_type_2", 4)
    rows = [[cell.strip() for cell in row] for row in Page(page(study)).rows]
    found = [row for row in rows if row[0] in ("yes", "no")]
    verdicts = model.verdicts(result, model.limit_keys(result))
    expected = [["yes" if met else "no", text] for v in verdicts for met, text in v.rules]
    assert {row[0] for row in found} == {"yes", "no"}
    assert found == expected


def test_every_section_stands_in_the_order_of_the_pdf(tested):
    headings = re.findall(r"<h2 [^>]*>([^<]+)</h2>", page(tested, impedance=True))
    assert headings == [
        *("Manometric diagnosis", "Summary", "Review and quality warnings", "Recording"),
        *("Swallows", "At rest", "Provocation tests", "Impedance and pressure flow"),
        *("Swallow by swallow (s from onset)", "Limits used [row]"),
    ]


def test_every_number_is_in_the_table(normal, shown):
    rows = {row[0]: row for row in shown.rows if len(row) == len(swallow_rows.COLUMNS) + 1}
    for row in hrm.to_dict(normal)["swallows"]:
        cells = [re.sub(r"[^\d.]", "", text) for text in rows[str(row["id"])]]
        assert cells[1] == f"{row['onset_s']:.1f}"
        assert cells[4:9] == [
            f"{row['irp4s_mmhg']:.1f}",
            f"{row['dci_mmhg_s_cm']:.0f}",
            f"{row['distal_latency_s']:.2f}",
            f"{row['break_cm']:.1f}",
            f"{row['ibp_mmhg']:.1f}",
        ]


def test_what_is_not_measured_has_its_reason_and_is_never_blank(make):
    found = Page(page(make("absent_contractility", 4)))
    assert "– not measured: a no contraction" in found.text
    assert "Transition zone not measured: no contraction" in found.text
    assert not re.search(r"\b(nan|None|null|undefined)\b", found.text)
    for row in found.rows:
        # Only remarks may have nothing to say.
        assert all(cell.strip() for cell in row[: len(swallow_rows.COLUMNS)]), row


def test_abnormal_values_are_marked_by_a_sign_and_not_by_color_alone(make):
    text = page(make("achalasia_type_2", 4))
    cells = re.findall(r'<td class="[^"]*beyond">(.*?)</td>', text)
    assert len(cells) >= 8
    assert all(any(sign in cell for sign in swallow_rows.SIGNS) for cell in cells)


def test_a_study_without_swallows_says_so():
    quiet = np.full((1200, 36), 5.0) + np.random.default_rng(1).normal(0, 0.5, (1200, 36))
    study = hrm.analyze(
        hrm.make_recording(
            quiet, sampling_rate=20.0, depth=np.arange(36.0), dims=("time", "sensor")
        )
    )
    found = Page(page(study))
    assert "No swallow was found" in found.text
    assert found.given()["first"] is None


def test_impedance_and_tests_of_rapid_swallows(tested):
    result, found = hrm.to_dict(tested), Page(page(tested, impedance=True))
    ids = result["provocation"]["mrs"]["runs"][0]["swallows"]
    assert f"{ids[0]}–{ids[-1]}" in [row[0] for row in found.rows]
    assert "multiple rapid swallows: see Provocation tests" in found.text
    for row in result["impedance"]["swallows"]:
        if row["transit_time_s"] is not None and row["id"] not in ids:
            assert any(
                row_[0] == str(row["id"]) and row_[1] == row["transit"] for row_ in found.rows
            )
    pictures = [a for t, a in found.tags if t == "img"]
    assert len(pictures) == 2 + len(groups(result))
    assert all(len(a["alt"]) > 10 for a in pictures)


def test_it_is_preliminary_until_signed(make, normal, shown, monkeypatch):
    assert f"{DRAFT} not signed off by a reader" in shown.text
    assert any(a.get("class") == "watermark" for _, a in shown.tags)
    monkeypatch.setattr("hrm.report.html.signed_off", lambda _: True)
    signed = page(normal)
    assert DRAFT not in Page(signed).text
    assert 'class="watermark"' not in signed


def test_the_policy_lets_one_script_run_and_nobody_be_asked(shown):
    policy = shown.policy()
    assert policy.startswith("default-src 'none'; base-uri 'none'; form-action 'none';")
    assert "unsafe" not in policy
    assert "http" not in policy
    for kind in ("script", "style"):
        found = re.findall(rf"<{kind}>(.*?)</{kind}>", shown.html, re.DOTALL)
        digests = [
            "'sha256-" + base64.b64encode(hashlib.sha256(t.encode()).digest()).decode() + "'"
            for t in found
        ]
        assert digests == re.findall(
            r"'sha256-[^']+'", policy.split(f"{kind}-src ")[1].split(";")[0]
        )
    assert [
        name for _, attributes in shown.tags for name in attributes if name.startswith("on")
    ] == []
    assert [a for _, a in shown.tags if "style" in a] == []
    assert links(shown.html) == []


def test_nothing_that_is_written_becomes_markup(make):
    drawn = phantom.draw("normal", seed=2, n_supine=3)
    recording = phantom.sample(drawn, sampling_rate=20.0)
    recording.attrs["study_id"] = "</script><b>x"
    study = hrm.analyze(recording, swallows=phantom.swallow_table(drawn))
    found = Page(page(study, reason_for_referral='<img src=x onerror="1"> & "q"'))
    assert '<img src=x onerror="1"> & "q"' in found.text
    assert "<img src=x" not in found.html
    assert "</script><b>x" not in found.html
    assert found.given()["study"]["id"] == "</script><b>x"
    with pytest.raises(ParameterError, match="1001 characters"):
        page(study, clinical_diagnosis="x" * 1001)


def test_marks_are_where_the_numbers_were_read(normal, shown):
    result, given = hrm.to_dict(normal), shown.given()["study"]
    for row, marks in zip(result["swallows"], given["marks"]["swallows"], strict=True):
        assert (marks["number"], marks["onset_s"]) == (row["id"], row["onset_s"])
        assert marks["cdp"]["cm"] == pytest.approx(row["cdp_cm"])
        after = marks["cdp"]["time_s"] - row["onset_s"]
        assert after == pytest.approx(row["distal_latency_s"], abs=0.06)
        used = sum(stop - start for start, stop in marks["esleeve"]["used"])
        assert used == pytest.approx(4.0, abs=0.11)
        box = marks["dci_box"]
        assert box["time_s"][0] < marks["cdp"]["time_s"] < box["time_s"][1]
        assert box["cm"][1] <= given["marks"]["study"]["les_upper_cm"]["value"] + 0.2
    for name, mark in given["marks"]["study"].items():
        assert mark["value"] == result["landmarks"][name]


def test_results_of_another_version_are_reported_without_regions(normal):
    older = normal.copy()
    older.attrs["engine_version"] = "0.0.1"
    marks = Page(page(older)).given()["study"]["marks"]["swallows"]
    assert {marks[0][name] for name in ("cdp", "esleeve", "dci_box")} == {None}


def test_samples_are_those_of_the_recording(normal, shown):
    recorded = normal["pressure"].to_dataset()["pressure"].values
    ((part, values),) = shown.parts()
    assert part == {"kind": "mean", "level": 0, "first": 0, "columns": recorded.shape[1]}
    np.testing.assert_allclose(values, recorded, atol=0.0501)
    assert "Tracing: all samples as recorded, 20 Hz, rounded to 0.1 mmHg." in shown.text


def test_a_page_with_less_room_says_what_it_shows(make, monkeypatch):
    monkeypatch.setattr("hrm.report.html._room", lambda _: 60_000)
    found = Page(page(make("normal", 4, 1, noise=1.0)))
    level = found.given()["parts"][0]["level"]
    assert level > 0
    rate = 20 / 2**level
    said = f"mean and highest of every {2**level} samples over the whole recording ({rate:g} Hz)"
    assert said in found.text
    assert "rounded to 0.25 mmHg" in found.text
    assert len(found.blocks["samples-1"]) <= 60_000


def test_a_file_is_the_same_every_time_and_complete_or_absent(normal, tmp_path):
    for name in ("a.html", "b.html"):
        write_html(normal, tmp_path / name, clinical_diagnosis="x")
    content = (tmp_path / "a.html").read_bytes()
    assert content == (tmp_path / "b.html").read_bytes()
    assert str(tmp_path).encode() not in content
    with pytest.raises(FileExistsError):
        write_html(normal, tmp_path / "a.html")
    with pytest.raises(ParameterError, match=r"[.]html"):
        write_html(normal, tmp_path / "a.pdf")
    raw = hrm.make_recording(np.zeros((50, 4)), sampling_rate=5.0, depth=range(4))
    with pytest.raises(SchemaError, match="analyze"):
        write_html(raw, tmp_path / "c.html")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "b.html"]


def test_ten_swallows_at_100_hz_are_less_than_3_mb(tmp_path):
    drawn = phantom.draw("hypercontractile", seed=21, n_supine=10, n_upright=0)
    recording = phantom.sample(drawn, sampling_rate=100.0, noise_mmhg=1.2, catheter="manoscan-36")
    study = hrm.analyze(recording, swallows=phantom.swallow_table(drawn))
    write_html(study, tmp_path / "a.html")
    assert (tmp_path / "a.html").stat().st_size <= 3_000_000
    text = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "all samples as recorded, 100 Hz" in text


@pytest.fixture(scope="module")
def visits(make):
    before = make("achalasia_type_2", 4)
    after = make("absent_contractility", 4, clinical=(("prior_surgery", "myotomy"),))
    return before, after


def test_two_visits_on_one_scale(visits):
    found = Page(visits_page(*visits, names=("before", "after POEM")))
    results = tuple(map(hrm.to_dict, visits))
    for row in beside.table(results, ("before", "after POEM")):
        # The corner of the table has a name here, for who does not see it.
        assert [row[0] or "Number", *row[1:]] in [[flat(c) for c in each] for each in found.rows]
    for name, result in zip(("before", "after POEM"), results, strict=True):
        assert flat(f"{name}: {beside.source(result)}") in found.text
        for label, standing in beside.diagnoses(result):
            assert label in found.text
            assert standing in found.text
    assert found.given("1")["study"]["shown_cm"] == found.given("2")["study"]["shown_cm"]
    assert len([a for t, a in found.tags if a.get("data-tracing")]) == 2
    assert DRAFT in found.text


def test_from_the_command_line(visits, tmp_path):
    for name, study in zip(("a.nc", "b.nc"), visits, strict=True):
        hrm.write_native(study, tmp_path / name)

    def run(*arguments):
        return CliRunner().invoke(main, ["report", *map(str, arguments)])

    both = run(tmp_path / "a.nc", "--html", tmp_path / "a.html", "--pdf", tmp_path / "a.pdf")
    assert both.exit_code == 0, both.output
    write_html(visits[0], tmp_path / "direct.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "direct.html").read_bytes()
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")
    names = ("--names", "before,after")
    two = run(tmp_path / "a.nc", tmp_path / "b.nc", "--html", tmp_path / "two.html", *names)
    assert two.exit_code == 0, two.output
    again = [hrm.analyze(hrm.open_recording(tmp_path / name)) for name in ("a.nc", "b.nc")]
    write_visits_html(*again, tmp_path / "two direct.html", names=("before", "after"))
    assert (tmp_path / "two.html").read_bytes() == (tmp_path / "two direct.html").read_bytes()
    for arguments, said in (
        ([tmp_path / "a.nc"], "name a report to write"),
        ([tmp_path / "a.nc", "--html", tmp_path / "x.pdf"], "ends in .html"),
        ([tmp_path / "a.nc", "--html", tmp_path / "a.html"], "--force replaces it"),
    ):
        done = run(*arguments)
        assert done.exit_code != 0
        assert said in flat(done.output)


def test_the_script_is_the_same_for_every_study(shown, visits):
    assert shown.blocks["script"] == script()
    assert Page(visits_page(*visits, names=("A", "B"))).blocks["script"] == script()
