"""Two studies side by side, and the mark of what nobody has signed."""

import pytest
from click.testing import CliRunner
from matplotlib.text import Text

import hrm
from hrm import phantom
from hrm.cli.main import main
from hrm.errors import ParameterError
from hrm.report.beside import quantities
from hrm.report.draft import DRAFT, mark_drafts, signed_off
from hrm.report.pdf import pages
from hrm.report.visits import visit_pages, write_visits


def analyzed(kind, seed, system="manoscan", **said):
    made = phantom.draw(kind, seed=seed, n_supine=4, n_upright=0)
    recording = phantom.sample(made, catheter="manoscan-36", sampling_rate=20.0, seed=seed)
    return hrm.analyze(recording, system=system, swallows=phantom.swallow_table(made), **said)


@pytest.fixture(scope="module")
def before():
    return analyzed("achalasia_type_2", 3)


@pytest.fixture(scope="module")
def after():
    return analyzed("absent_contractility", 4, clinical={"prior_surgery": "myotomy"})


def words(drawn):
    return [text.get_text() for page in drawn for text in page.findobj(Text)]


def test_both_diagnoses_and_every_number_with_its_change(before, after):
    said = words(visit_pages(before, after, names=("before", "after POEM")))
    assert any("Achalasia type II" in text for text in said)
    assert any("Not classified" in text for text in said)
    results = hrm.to_dict(before), hrm.to_dict(after)
    known = {name: [value for value, _ in pair] for name, _, pair in quantities(results)}
    one, other = known["LES pressure at rest, end-expiratory"]
    assert f"{one:.1f} mmHg" in said
    assert f"{other:.1f} mmHg" in said
    assert f"{other - one:.1f} mmHg" in said


def test_no_change_between_systems(before):
    other = analyzed("normal", 5, system="laborie_ss")
    said = words(visit_pages(before, other))
    assert "change: not given" in said
    assert any("systems differ" in text for text in said)


def test_what_was_not_measured_has_its_reason_and_no_change(before):
    nothing = analyzed("normal", 5)
    result = hrm.to_dict(nothing)
    result["egj"]["egj_ci_mmhg_cm"] = None
    result["egj"]["status"]["egj_ci_mmhg_cm"] = "no_breathing"
    rows = {name: pair for name, _, pair in quantities((hrm.to_dict(before), result))}
    assert rows["EGJ-CI"][1] == (None, "no_breathing")


def test_pages_say_that_they_are_preliminary_until_signed(before):
    assert any(DRAFT in text for text in words(pages(before)))
    assert any(DRAFT in text for text in words(visit_pages(before, before)))
    result = hrm.to_dict(before)
    signed = {**result, "review": {"signed_off": True}}
    assert (signed_off(result), signed_off(signed)) == (False, True)
    drawn = visit_pages(before, before)
    count = sum(DRAFT in text for text in words(drawn))
    mark_drafts(drawn, [signed, signed])
    assert sum(DRAFT in text for text in words(drawn)) == count
    mark_drafts(drawn, [signed, result])
    assert sum(DRAFT in text for text in words(drawn)) == 2 * count


def test_the_file_is_small_and_the_same_every_time(before, after, tmp_path):
    for name in ("a.pdf", "b.pdf"):
        write_visits(before, after, tmp_path / name)
    content = (tmp_path / "a.pdf").read_bytes()
    assert content == (tmp_path / "b.pdf").read_bytes()
    assert len(content) < 1_500_000
    with pytest.raises(ParameterError, match=r"ends in \.pdf"):
        write_visits(before, after, tmp_path / "a.html")


def test_from_the_command_line(before, after, tmp_path):
    for name, study in (("a.nc", before), ("b.nc", after)):
        hrm.write_native(study, tmp_path / name)

    def run(*arguments):
        return CliRunner().invoke(main, ["report", *map(str, arguments)])

    one = run(tmp_path / "a.nc", "--pdf", tmp_path / "one.pdf")
    assert one.exit_code == 0, one.output
    two = run(
        *(tmp_path / "a.nc", tmp_path / "b.nc", "--pdf", tmp_path / "two.pdf"),
        *("--names", "before,after"),
    )
    assert two.exit_code == 0, two.output
    assert (tmp_path / "two.pdf").read_bytes().startswith(b"%PDF-")
    for arguments, said in (
        ([tmp_path / "a.nc", "--pdf", tmp_path / "x.html"], "ends in .pdf"),
        ([tmp_path / "a.nc", "--names", "x,y", "--pdf", tmp_path / "x.pdf"], "need a second file"),
        (
            [tmp_path / "a.nc", tmp_path / "b.nc", "--names", "x", "--pdf", tmp_path / "x.pdf"],
            "expected two names",
        ),
    ):
        done = run(*arguments)
        assert done.exit_code == 2
        assert said in done.output
