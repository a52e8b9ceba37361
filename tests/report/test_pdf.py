"""The report: what is in it, how many pages, how large, and that nothing overlaps."""

import re
import time
from itertools import combinations, pairwise

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import Collection
from matplotlib.image import AxesImage
from matplotlib.text import Text

import hrm
from hrm.errors import ParameterError, SchemaError
from hrm.report import write_report
from hrm.report._sheet import HEIGHT, LEFT, WIDTH, unprintable
from hrm.report.draft import WATERMARK
from hrm.report.pdf import pages

SIZES = {0: 1, 4: 2, 10: 2, 15: 2, 25: 3}


def study_of(make, count):
    if count:
        return make("normal", min(count, 10), max(count - 10, 0))
    values = np.full((1200, 36), 5.0) + np.random.default_rng(1).normal(0, 0.5, (1200, 36))
    return hrm.analyze(
        hrm.make_recording(
            values, sampling_rate=20.0, depth=np.arange(36.0), dims=("time", "sensor")
        )
    )


def texts(page):
    return [text.get_text() for text in page.findobj(Text) if text.get_text()]


def all_text(drawn):
    return "\n".join(text for page in drawn for text in texts(page))


def flat(drawn):
    """Text of the pages in one line: paragraphs may break anywhere."""
    return " ".join(all_text(drawn).split())


@pytest.fixture(scope="module")
def drawn(make):
    return pages(make("normal", 10, 5))


@pytest.mark.parametrize("count", SIZES)
def test_pages_and_size(make, count, tmp_path):
    study = study_of(make, count)
    assert len(hrm.to_dict(study)["swallows"]) == count
    write_report(study, tmp_path / "report.pdf")
    content = (tmp_path / "report.pdf").read_bytes()
    assert len(re.findall(rb"/Type /Page\b", content)) == SIZES[count]
    assert re.search(rb"/MediaBox \[ *0 0 595\.2\d* 841\.8\d* *\]", content)
    assert len(content) <= 1_500_000
    assert list(tmp_path.iterdir()) == [tmp_path / "report.pdf"]


def test_a_noisy_study_is_not_a_large_file(make, tmp_path):
    write_report(make("normal", 10, 5, noise=6.0), tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").stat().st_size <= 1_500_000


def test_the_required_fields_are_there(make, drawn):
    result, text = hrm.to_dict(make("normal", 10, 5)), flat(drawn)
    assert text.count("not given") == 2
    for field in (
        "Reason for referral",
        "Clinical diagnosis",
        "Manometric diagnosis",
        "Chicago Classification v4.0",
        "Chicago Classification v3.0",
        "Summary",
        "10 of 10 wet swallows, supine, evaluable (asked for: at least 7 of 10; met)",
        "(asked for: 30 s; ",
        "Review and quality warnings",
        "For research use only, not for diagnosis or treatment.",
        "Automatic result, not reviewed by a reader.",
        f"hrm {hrm.__version__}",
        result["engine"]["parameters_id"],
        f"Study {result['recording']['study_id']}",
        f"SHA-256 {result['recording']['sha256'][:12]} ",
        "Normal esophageal motility",
    ):
        assert field in text
    assert result["recording"]["sha256"] not in text


def test_every_rule_and_every_row_is_there(make, drawn):
    result, text = hrm.to_dict(make("normal", 10, 5)), flat(drawn)
    rows = re.findall(r"\[(\d+)\] (\w+[.][\w.]+)", text)
    assert sorted(int(number) for number, _ in rows) == list(range(1, len(rows) + 1))
    used = {row for _, row in rows}
    for name in ("ccv4", "ccv3"):
        for rule in result["classification"][name]["rationale"]:
            assert rule["rule"] in text
            assert not rule["row"] or rule["row"] in used
    assert set(result["engine"]["limit_ids"]) < used
    assert "irp4s.manoscan.supine.v4 ≥ 15 mmHg YAD21 (mem-high)" in text
    assert "mem-high: recalled, sure" in text


def test_every_number_is_in_the_table(make, drawn):
    shown = texts(drawn[0])
    for row in hrm.to_dict(make("normal", 10, 5))["swallows"]:
        for text in (
            f"{row['onset_s']:.1f}",
            f"{row['irp4s_mmhg']:.1f}",
            f"{row['dci_mmhg_s_cm']:.0f}",
            f"{row['distal_latency_s']:.2f}",
            f"{row['break_cm']:.1f}",
            f"{row['ibp_mmhg']:.1f}",
        ):
            assert text in shown
    for name in ("les_upper_cm", "ues_lower_cm", "crural_diaphragm_cm"):
        value = hrm.to_dict(make("normal", 10, 5))["landmarks"][name]
        assert f"{value:.1f} cm" in shown


def test_abnormal_values_are_marked_by_a_sign_and_bold(make):
    study = make("achalasia_type_2", 10)
    (first, *_) = pages(study)
    cells = [text for text in first.texts if text.get_text()]
    irp = [f"{row['irp4s_mmhg']:.1f}" for row in hrm.to_dict(study)["swallows"]]
    for text in cells:
        if text.get_text() in irp:
            assert text.get_fontweight() == "bold"
            beside = [
                other.get_text()
                for other in cells
                if other.get_position()[1] == text.get_position()[1]
                and 0 < other.get_position()[0] - text.get_position()[0] < 10 / WIDTH
            ]
            assert beside == ["▲"]
    assert all_text([first]).count("▼") >= 10
    assert "● failed" in all_text([first])


def test_what_is_not_measured_is_a_dash_with_its_reason(make):
    text = flat(pages(make("absent_contractility", 4)))
    assert "– not measured: a no contraction" in text
    assert "nan" not in text.lower().split()
    assert "Transition zone not measured: no" in text  # the reason goes on below


def test_a_study_without_swallows_says_so(make):
    text = flat(pages(study_of(make, 0)))
    assert "No swallow was found" in text
    assert "no single swallow can be evaluated" in text


def test_not_classified_shows_the_reason_and_what_it_would_be(make):
    (first, *_) = pages(make("achalasia_type_2", 4, posture=False))
    left = [text.get_text() for text in first.texts if text.get_position()[0] < 0.5]
    text = " ".join(left)
    assert "Not classified" in text
    assert "no label is given: the posture of the swallows, or of most of them, is unknown" in text
    assert (
        "• Medtronic ManoScan, supine, IRP limit 15 mmHg (irp4s.manoscan.supine.v4): Achalasia"
        in text
    )


def test_limited_and_not_conclusive_are_said_in_words(make):
    text = flat(pages(make("des", 4)))
    assert "NOT conclusive; LIMITED: fewer than 7 evaluable swallows" in text
    assert "only with dysphagia or chest pain" in text
    assert "evaluable (asked for: at least 7 of 10; NOT met)" in text


def test_after_an_operation_there_are_values_and_no_label(make):
    study = make("achalasia_type_2", 10, clinical=(("prior_surgery", "myotomy"),))
    text = flat(pages(study))
    assert "After treatment: values without a label" in text
    assert "Achalasia" not in text
    assert "do not call obstruction from the IRP alone" in text
    described = hrm.to_dict(study)["classification"]["post_treatment"]
    assert f"{described['irp4s_median_supine_mmhg']:.1f} mmHg (no limit)" in text


CROWDED = {
    "normal": {"phenotype": "normal", "n_supine": 10, "n_upright": 5},
    "failed": {"phenotype": "achalasia_type_2", "n_supine": 10, "n_upright": 5},
    "provisional": {"phenotype": "hypercontractile", "n_supine": 10, "posture": False},
    "operated": {
        "phenotype": "egjoo",
        "n_supine": 4,
        "clinical": (("prior_surgery", "fundoplication"),),
    },
}


def stays_on_the_paper(drawn):
    for page in drawn:
        page.set_canvas(FigureCanvasAgg(page))
        # Hinting fits letters to the pixels of a screen and so widens a text; a PDF has none.
        with mpl.rc_context({"text.hinting": "no_hinting"}):
            page.canvas.draw()
            printed = [text for text in page.texts if text.get_gid() != WATERMARK]
            places = [(text.get_text(), text.get_window_extent()) for text in printed]
        assert len(places) > 20
        for text, box in places:
            assert 72 * box.x0 / page.dpi >= LEFT - 1, text
            assert 72 * box.x1 / page.dpi <= WIDTH - LEFT + 1.5, text
            assert 72 * box.y0 / page.dpi >= 12, text
            assert 72 * box.y1 / page.dpi <= HEIGHT - 12, text
        axes = [("axes", ax.get_window_extent()) for ax in page.axes]
        for (text, box), (other, second) in combinations(places + axes, 2):
            inner = 2.0  # boxes of neighboring lines touch in their leading
            apart = (
                box.x1 - inner <= second.x0
                or second.x1 - inner <= box.x0
                or box.y1 - inner <= second.y0
                or second.y1 - inner <= box.y0
            )
            assert apart, (text, other)


@pytest.mark.parametrize("case", CROWDED)
def test_no_text_overlaps_or_leaves_the_paper(make, case):
    drawn = pages(
        make(**CROWDED[case]),
        reason_for_referral="Dysphagia for solids and liquids. " * 12,
        clinical_diagnosis="W" * 400,
    )
    stays_on_the_paper(drawn)


@pytest.mark.parametrize("bolus", [False, True])
def test_a_study_with_impedance_and_tests_keeps_to_the_paper(tested, bolus):
    drawn = pages(tested, impedance=bolus)
    stays_on_the_paper(drawn)
    for page in drawn:
        for legend in page.legends:
            assert 72 * legend.get_window_extent().x1 / page.dpi <= WIDTH - LEFT + 1
    shown = flat(drawn)
    assert ("bolus (impedance" in shown) == bolus
    assert "Impedance and pressure flow" in shown


def test_a_run_of_a_test_is_one_row_and_one_panel(tested):
    result, drawn = hrm.to_dict(tested), pages(tested)
    ids = result["provocation"]["mrs"]["runs"][0]["swallows"]
    text = all_text(drawn)
    assert f"\n{ids[0]}–{ids[-1]}\n" in text
    assert "multiple rapid swallows: see Provocation tests" in text
    assert f"#{ids[0]}–{ids[-1]} · supine · MRS" in text
    assert not any(f"#{each} ·" in text for each in ids)
    gaps = [b["onset_s"] - a["onset_s"] for a, b in pairwise(result["swallows"])]
    shortest = min(
        gap
        for gap, row in zip(gaps, result["swallows"][1:], strict=True)
        if row["protocol"] == "single"
    )
    assert min(gaps) < 5.0 < shortest
    assert f"Shortest time between swallows {shortest:.1f} s" in flat(drawn)


@pytest.mark.parametrize("colors", ["hrm", "accessible"])
def test_letters_are_large_enough_for_print(make, colors):
    for page in pages(make("normal", 4), colors=colors):
        assert min(text.get_fontsize() for text in page.findobj(Text) if text.get_text()) >= 7.0


def test_what_the_physician_writes_is_in_the_report_as_written(make):
    text = flat(
        pages(
            make("normal", 4),
            reason_for_referral="Dysphagia, 5 $x$ % <b> äöß\nfor 3 months",
            clinical_diagnosis="GERD?",
        )
    )
    assert "Reason for referral Dysphagia, 5 $x$ % <b> äöß for 3 months" in text
    assert "Clinical diagnosis GERD?" in text
    assert "not given" not in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x" * 1001, "1001 characters"),
        ("吞咽 困难", r"U\+541E, U\+54BD, U\+56F0"),
        ("a\x00b", "U\\+0000"),
    ],
)
def test_a_text_that_cannot_be_shown_is_refused(make, text, message, tmp_path):
    with pytest.raises(ParameterError, match=message) as caught:
        write_report(make("normal", 4), tmp_path / "a.pdf", reason_for_referral=text)
    assert text not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_every_sign_of_the_report_has_a_glyph(drawn):
    assert unprintable("".join(sorted(set(all_text(drawn)) - {"\n"}))) == []
    assert unprintable("▲▼●–≥≤·…•") == []
    assert unprintable("困") == ["困"]


def test_the_same_study_gives_the_same_bytes(make, tmp_path):
    study = make("normal", 4)
    write_report(study, tmp_path / "a.pdf", clinical_diagnosis="x")
    time.sleep(1.1)  # the clock of a PDF counts seconds
    write_report(study, tmp_path / "b.pdf", clinical_diagnosis="x")
    content = (tmp_path / "a.pdf").read_bytes()
    assert content == (tmp_path / "b.pdf").read_bytes()
    for word in (b"CreationDate", b"Author", str(tmp_path).encode()):
        assert word not in content


def test_a_file_is_replaced_only_when_asked(make, tmp_path):
    target = tmp_path / "a.pdf"
    target.write_text("precious", encoding="utf-8")
    with pytest.raises(FileExistsError):
        write_report(make("normal", 4), target)
    assert target.read_text(encoding="utf-8") == "precious"
    write_report(make("normal", 4), target, overwrite=True)
    assert target.read_bytes().startswith(b"%PDF")


def test_wrong_arguments(make, tmp_path):
    with pytest.raises(ParameterError, match=r"[.]pdf"):
        write_report(make("normal", 4), tmp_path / "a.png")
    with pytest.raises(ParameterError, match="colors"):
        write_report(make("normal", 4), tmp_path / "a.pdf", colors="jet")
    raw = hrm.make_recording(np.zeros((50, 4)), sampling_rate=5.0, depth=range(4))
    with pytest.raises(SchemaError, match="analyze"):
        write_report(raw, tmp_path / "a.pdf")
    assert list(tmp_path.iterdir()) == []


def test_no_text_is_taken_for_a_formula(make):
    for page in pages(make("normal", 4), reason_for_referral="$x$"):
        assert not any(text.get_parse_math() for text in page.texts)


def test_the_topography_is_pixels_and_the_text_is_not(drawn):
    for page in drawn:
        fields = [
            artist
            for ax in page.axes
            for artist in ax.get_children()
            if isinstance(artist, AxesImage | Collection)
        ]
        assert fields
        assert all(artist.get_rasterized() for artist in fields)
        assert not any(text.get_rasterized() for text in page.findobj(Text))
