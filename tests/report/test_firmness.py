"""The report says whether the diagnosis holds, where that was asked for."""

from matplotlib.text import Text

import hrm
from hrm import phantom
from hrm.report.firmness import stability_sentence
from hrm.report.pdf import pages


def words(study):
    return [text.get_text() for page in pages(study) for text in page.findobj(Text)]


def test_the_report_says_whether_the_diagnosis_holds():
    made = phantom.draw("achalasia_type_2", seed=3, n_supine=3, n_upright=0)
    recording = phantom.sample(made, catheter="manoscan-36", sampling_rate=20.0, seed=3)
    options = {"system": "manoscan", "swallows": phantom.swallow_table(made)}
    firm = hrm.diagnosis_stability(recording, draws=20, seed=1, **options)
    verdict = hrm.to_dict(firm)["classification"]["ccv4"]
    kept = verdict["stability"]["diagnoses"]["achalasia_type_2"]
    assert f"keeps the diagnosis in {kept} of 20 draws" in stability_sentence(verdict)
    begins = "• If landmarks, onsets and zero were"
    assert sum(text.startswith(begins) for text in words(firm)) == 2
    assert not any(text.startswith(begins) for text in words(hrm.analyze(recording, **options)))
