"""The perturbation model: what may be a little off, by how much, and the seeded draws.

Borders, onsets and drift take one of a few levels, level 0 being the value as it was
found, so that every swallow has a small table of all it can become. The gastric reference
only moves the zero of a number, and takes any value; so do the errors of reading a
contractile integral and a break between sensors, which nothing else perturbs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.errors import ParameterError

DRAWS = 500
#: More would take minutes and say no more.
_MOST_DRAWS = 100_000
#: As found, less, and more.
SIDES = (0, -1, 1)


@dataclass(frozen=True)
class Model:
    """Sizes of the perturbations.

    Attributes
    ----------
    border_cm : array (level,) [cm]
        Shift of both LES borders.
    onset_s : array (level,) [s]
        Shift of the onset of a swallow.
    drift_mmhg : array (pattern, sensor) [mmHg]
        Residual drift at the end of the recording; the first pattern is none.
    gastric_mmhg : float [mmHg]
        Greatest error of the gastric reference.
    dci_mmhg_s_cm : float [mmHg s cm]
        SD of the error of reading a contractile integral between sensors.
    break_cm : float [cm]
        SD of the error of reading a break.
    """

    border_cm: NDArray[np.float64]
    onset_s: NDArray[np.float64]
    drift_mmhg: NDArray[np.float64]
    gastric_mmhg: float
    dci_mmhg_s_cm: float
    break_cm: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of levels of border, onset and drift."""
        return self.border_cm.size, self.onset_s.size, len(self.drift_mmhg)


@dataclass(frozen=True)
class Draws:
    """What each draw perturbs.

    Attributes
    ----------
    border, drift : array (draw,) of int
        Levels, alike for all swallows of a draw.
    onset : array (draw, swallow) of int
        Level of each swallow by itself.
    gastric_mmhg : array (draw,) [mmHg]
        Added to the gastric reference.
    dci_mmhg_s_cm : array (draw, swallow) [mmHg s cm]
        Added to the contractile integral of each swallow by itself.
    break_cm : array (draw, swallow) [cm]
        Added to the break of each swallow by itself.
    picks : array (draw, counted) of int
        Swallows that stand in for those that count: as many of each posture, drawn
        with replacement.
    """

    border: NDArray[np.int64]
    onset: NDArray[np.int64]
    drift: NDArray[np.int64]
    gastric_mmhg: NDArray[np.float64]
    dci_mmhg_s_cm: NDArray[np.float64]
    break_cm: NDArray[np.float64]
    picks: NDArray[np.int64]

    def __len__(self) -> int:
        """Count the draws."""
        return int(self.border.size)


def perturbation_model(
    n_sensors: int, parameters: Parameters, *, spacing_cm: float, seed: int
) -> Model:
    """Size the perturbations of a study.

    Parameters
    ----------
    n_sensors : int
    parameters : Parameters
        Those that start with ``stability.``.
    spacing_cm : float
        Of the sensors in the esophageal body; errors of reading grow with it.
    seed : int
        Draws the patterns of the drift.

    Returns
    -------
    Model
    """
    sides = np.array(SIDES, dtype=np.float64)
    reach = float(parameters["stability.drift_mmhg"])
    patterns = _generator(seed, 0).uniform(
        -reach, reach, (int(parameters["stability.drift_patterns"]), n_sensors)
    )
    return Model(
        border_cm=sides * parameters["stability.border_cm"],
        onset_s=sides * parameters["stability.onset_s"],
        drift_mmhg=np.vstack([np.zeros(n_sensors), patterns]),
        gastric_mmhg=float(parameters["stability.gastric_mmhg"]),
        dci_mmhg_s_cm=spacing_cm * parameters["stability.dci_mmhg_s_cm"],
        break_cm=spacing_cm * parameters["stability.break_share"],
    )


def draw(
    model: Model, postures: dict[str, NDArray[np.int64]], n_swallows: int, *, draws: int, seed: int
) -> Draws:
    """Draw the perturbations.

    Parameters
    ----------
    model : Model
    postures : dict of str to array of int
        Swallows that count, by posture.
    n_swallows : int
        All of them.
    draws : int
        From 1 to 100 000.
    seed : int
        Not negative. The first draws do not depend on how many there are.

    Returns
    -------
    Draws

    Raises
    ------
    ParameterError
        If `draws` or `seed` is out of range.
    """
    if not 1 <= draws <= _MOST_DRAWS:
        raise ParameterError(f"draws must be from 1 to {_MOST_DRAWS}, got {draws}")
    borders, onsets, drifts = model.shape
    reach, each = model.gastric_mmhg, (draws, n_swallows)
    picks = [
        own[_generator(seed, 5 + i).integers(0, own.size, (draws, own.size))]
        for i, own in enumerate(postures.values())
    ]
    return Draws(
        border=_generator(seed, 1).integers(0, borders, draws),
        onset=_generator(seed, 2).integers(0, onsets, each),
        drift=_generator(seed, 3).integers(0, drifts, draws),
        gastric_mmhg=_generator(seed, 4).uniform(-reach, reach, draws),
        dci_mmhg_s_cm=_generator(seed, 101).normal(0.0, model.dci_mmhg_s_cm, each),
        break_cm=_generator(seed, 102).normal(0.0, model.break_cm, each),
        picks=np.concatenate(picks, axis=1) if picks else np.empty((draws, 0), dtype=np.int64),
    )


def _generator(seed: int, stream: int) -> np.random.Generator:
    """One generator for each kind of perturbation, so that none depends on another."""
    if seed < 0:
        raise ParameterError(f"the seed must not be negative, got {seed}")
    return np.random.default_rng([seed, stream])
