"""The perturbation model and its draws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm.catalog import default_parameters
from hrm.errors import ParameterError
from hrm.stability.model import draw, perturbation_model

SPACING = 2.0
POSTURES = {"supine": np.array([0, 1, 3, 4]), "upright": np.array([5, 6])}


def model(seed=0, **changed):
    rules = {f"stability.{name}": value for name, value in changed.items()}
    return perturbation_model(
        36, default_parameters().replace(rules), spacing_cm=SPACING, seed=seed
    )


def drawn(draws, seed=0, of=None):
    return draw(of or model(seed), POSTURES, 7, draws=draws, seed=seed)


def test_the_sizes_are_those_of_the_parameters():
    sizes = {"border_cm": 0.7, "onset_s": 0.1, "gastric_mmhg": 3.0, "drift_mmhg": 1.5}
    made = model(**sizes, drift_patterns=4, dci_mmhg_s_cm=7.0, break_share=0.3)
    # What is misread between two sensors grows with their distance.
    assert (made.dci_mmhg_s_cm, made.break_cm) == (14.0, 0.6)
    np.testing.assert_allclose(made.border_cm, [0.0, -0.7, 0.7])
    np.testing.assert_allclose(made.onset_s, [0.0, -0.1, 0.1])
    assert made.gastric_mmhg == 3.0
    assert made.shape == (3, 3, 5)
    assert (made.drift_mmhg[0] == 0.0).all()
    assert 1.2 < np.abs(made.drift_mmhg[1:]).max() <= 1.5


def test_the_default_is_the_documented_one():
    made = model()
    assert (made.border_cm[2], made.onset_s[2], made.gastric_mmhg) == (0.5, 0.2, 2.0)
    assert (made.dci_mmhg_s_cm, made.break_cm) == (18.0, 0.4)


def test_every_level_comes_up_alike_often():
    draws = drawn(9000)
    for levels, count in ((draws.border, 3), (draws.onset[:, 2], 3), (draws.drift, 3)):
        np.testing.assert_allclose(np.bincount(levels) / 9000, 1.0 / count, atol=0.02)
    assert np.abs(draws.gastric_mmhg).max() <= 2.0
    np.testing.assert_allclose(draws.gastric_mmhg.std(), 4.0 / np.sqrt(12.0), rtol=0.03)


def test_every_swallow_is_misread_by_itself():
    draws = drawn(4000)
    for errors, size in ((draws.dci_mmhg_s_cm, 18.0), (draws.break_cm, 0.4)):
        assert errors.shape == (4000, 7)
        np.testing.assert_allclose(errors.std(axis=0), size, rtol=0.06)
        np.testing.assert_allclose(errors.mean(axis=0), 0.0, atol=0.07 * size)
        apart = np.corrcoef(errors.T)[~np.eye(7, dtype=bool)]
        assert np.abs(apart).max() < 0.08
    both = np.corrcoef(draws.dci_mmhg_s_cm.ravel(), draws.break_cm.ravel())
    assert abs(both[0, 1]) < 0.03


@given(seed=st.integers(0, 2**40), draws=st.integers(1, 60))
def test_swallows_are_drawn_anew_within_their_posture(seed, draws):
    picks = drawn(draws, seed).picks
    assert picks.shape == (draws, 6)
    assert np.isin(picks[:, :4], POSTURES["supine"]).all()
    assert np.isin(picks[:, 4:], POSTURES["upright"]).all()


@given(seed=st.integers(0, 2**40), first=st.integers(1, 20), more=st.integers(0, 20))
def test_the_same_seed_gives_the_same_draws_however_many(seed, first, more):
    few, many = drawn(first, seed), drawn(first + more, seed)
    for name in (
        *("border", "onset", "drift", "picks"),
        *("gastric_mmhg", "dci_mmhg_s_cm", "break_cm"),
    ):
        np.testing.assert_array_equal(getattr(few, name), getattr(many, name)[:first])


def test_another_seed_gives_others():
    assert not np.array_equal(drawn(50, 1).onset, drawn(50, 2).onset)
    assert not np.array_equal(model(1).drift_mmhg, model(2).drift_mmhg)


def test_onsets_of_one_draw_are_off_each_by_itself():
    onset = drawn(400).onset
    assert abs(np.corrcoef(onset[:, 0] == 1, onset[:, 1] == 1)[0, 1]) < 0.15


def test_the_perturbations_do_not_depend_on_each_other():
    draws = drawn(2000)
    levels = (draws.border, draws.drift, draws.onset[:, 0], draws.picks[:, 0], draws.picks[:, 4])
    misread = (draws.dci_mmhg_s_cm[:, 0], draws.break_cm[:, 0])
    columns = np.array([*levels, draws.gastric_mmhg, *misread])
    apart = np.corrcoef(columns)[~np.eye(len(columns), dtype=bool)]
    assert np.abs(apart).max() < 0.1


@pytest.mark.parametrize(("draws", "seed", "what"), [(0, 0, "draws"), (10**6, 0, "draws")])
def test_too_few_or_too_many_draws_are_refused(draws, seed, what):
    with pytest.raises(ParameterError, match=f"{what} must be from 1 to 100000"):
        drawn(draws, seed)


def test_a_negative_seed_is_refused():
    with pytest.raises(ParameterError, match="must not be negative"):
        model(-1)


def test_nothing_that_counts_is_drawn_as_nothing():
    assert draw(model(), {}, 3, draws=5, seed=0).picks.shape == (5, 0)
