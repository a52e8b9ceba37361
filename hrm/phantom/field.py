"""The analytic pressure field P(t, z) of a synthetic study.

Everything here is a smooth closed form: baselines and breathing, two sphincters
that relax, a pharyngeal wave, a contraction in two muscle segments, and the
pressurization of a trapped bolus. Nothing is random (`hrm.phantom.phenotypes`
draws the numbers) and nothing is measured (`hrm.phantom.truth` does that).

Axes: t in s from the start of the study; z in cm on the phantom's own axis,
increasing downwards. Pressures are in mmHg relative to the atmosphere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from hrm.errors import ParameterError

Array = NDArray[np.float64]

#: Time around an onset in which a swallow changes the field [s].
BEFORE_S, AFTER_S = 3.0, 32.0
_POSTURE_CHANGE_S = 3.0
_CORNER_CM = 0.2
_FRONT_MMHG = 28.0


@dataclass(frozen=True, slots=True)
class Anatomy:
    """Where things are [cm, phantom axis] and how wide.

    `ues_half_cm` is the half width at half maximum; the `*_order` is the exponent
    of the generalized Gaussian (2 is a Gaussian, more is flatter on top). With `les_skew`
    the lower flank of the LES is wider by this share, and the upper one narrower.
    """

    ues_cm: float
    ues_half_cm: float
    ues_order: float
    pharynx_length_cm: float
    body_top_cm: float
    body_bottom_cm: float
    transition_cm: float
    les_cm: float
    les_sd_cm: float
    les_order: float
    crural_cm: float
    crural_sd_cm: float
    hiatus_cm: float
    vessel_cm: float
    les_skew: float = 0.0


@dataclass(frozen=True, slots=True)
class Tone:
    """Resting pressures of one posture [mmHg].

    `les` is the end-expiratory height above the stomach; the swings are the
    inspiratory deflections (thoracic downwards, gastric and crural upwards), and
    `crural_tonic` what the diaphragm keeps up at end-expiration.
    """

    gastric: float
    thoracic: float
    gastric_swing: float
    thoracic_swing: float
    crural_swing: float
    crural_tonic: float
    les: float
    ues: float
    vessel: float


@dataclass(frozen=True, slots=True)
class Breathing:
    """Rate and shape of the breathing; one breath differs a little from the next."""

    rate_hz: float
    phase: float
    wobble: float
    wobble_hz: float
    sharpness: float
    pulse_hz: float

    def angle(self, t: Array) -> Array:
        """Phase of the breath [rad]: 0 at full inspiration, pi at end-expiration."""
        slow = self.wobble * np.sin(2 * np.pi * self.wobble_hz * t)
        return np.asarray(2 * np.pi * self.rate_hz * t + self.phase + slow)

    def inspiration(self, t: Array) -> Array:
        """Depth of inspiration, from 0 (end-expiration) to 1."""
        return np.asarray((0.5 + 0.5 * np.cos(self.angle(t))) ** self.sharpness)


@dataclass(frozen=True, slots=True)
class Wave:
    """The contraction of one swallow; times in s after the nominal onset.

    The front (about 30 mmHg) runs at `fast_cm_s` to the deceleration point
    `cdp_cm`, reached at `cdp_s`, and at `slow_cm_s` beyond. `gap_top_cm` and
    `gap_bottom_cm` are where the striated segment ends and the smooth one begins,
    read at 20 mmHg; they overlap when top > bottom. `repeats` are further peaks as
    (delay [s], height relative to the first). `log_gain` and `ripple`, cosines along
    the body as (weight, wavelength [cm], phase [rad]), vary the height of it all.
    """

    striated_mmhg: float
    striated_s: float
    striated_cm_s: float
    smooth_mmhg: float
    gap_top_cm: float
    gap_bottom_cm: float
    edge_cm: float
    dip: float
    dip_cm: float
    skew: float
    cdp_cm: float
    cdp_s: float
    fast_cm_s: float
    slow_cm_s: float
    rise_s: float
    fall_s: float
    repeats: tuple[tuple[float, float], ...] = ()
    log_gain: float = 0.0
    ripple: tuple[tuple[float, float, float], ...] = ()

    def variation(self, z: Array) -> Array:
        """Factor on the height of the contraction at depth z."""
        total = np.full(z.shape, self.log_gain)
        for weight, length_cm, phase in self.ripple:
            total += weight * np.cos(2 * np.pi * z / length_cm + phase)
        return np.asarray(np.exp(total))

    def front(self, z: Array) -> Array:
        """Nominal time of the front at depth z [s after onset]."""
        x = (z - self.cdp_cm) / _CORNER_CM
        bend = (1 / self.slow_cm_s - 1 / self.fast_cm_s) * _CORNER_CM
        return np.asarray(
            self.cdp_s + (z - self.cdp_cm) / self.fast_cm_s + bend * np.logaddexp(0, x)
        )

    def peak_time(self, z: Array, amplitude: Array) -> Array:
        """Time of the peak [s after onset]: a higher wave peaks later after its front."""
        lead = np.sqrt(np.log1p((amplitude / _FRONT_MMHG) ** 2))
        return np.asarray(self.front(z) + self.rise_s * lead)


@dataclass(frozen=True, slots=True)
class Pressurization:
    """A uniform pressure in the closed body; times in s after the nominal onset.

    `mmhg` is the height above the thoracic baseline. With `ahead` it fills only
    the space between the contractile front and the LES (compartmentalized, or the
    ordinary intrabolus pressure); otherwise the whole body.
    """

    mmhg: float
    start_s: float
    stop_s: float
    ramp_s: float
    ahead: bool


@dataclass(frozen=True, slots=True)
class Swallow:
    """One swallow: everything that happens from its nominal onset on.

    `second` is True for the unmarked second swallow of a pair.
    """

    onset_s: float
    posture: str
    protocol: str
    pharynx_mmhg: float
    pharynx_s: float
    pharynx_cm_s: float
    pharynx_sd_s: float
    ues_residual_mmhg: float
    ues_open_s: float
    ues_lift_cm: float
    ues_overshoot: float
    les_residual_mmhg: float
    les_relax_s: float
    les_recover_s: float
    after_mmhg: float
    after_sd_s: float
    wave: Wave
    pressurizations: tuple[Pressurization, ...] = ()
    second: bool = False


@dataclass(frozen=True, slots=True)
class Phantom:
    """A synthetic study: anatomy, resting pressures, breathing and swallows.

    `quiet_s` are swallow-free intervals, the supine one first; `upright_s` is the
    time of the posture change (infinite if there is none). `variability` is the
    coefficient of variation of the height of the contractions that was asked for, and
    `altered` says that the study was changed after its swallows were fitted.
    """

    phenotype: str
    seed: int
    borderline: str
    anatomy: Anatomy
    supine: Tone
    upright: Tone
    upright_s: float
    breathing: Breathing
    swallows: tuple[Swallow, ...]
    quiet_s: tuple[tuple[float, float], ...]
    duration_s: float
    variability: float = 0.0
    altered: bool = False

    def tone(self, posture: str) -> Tone:
        """Resting pressures of a posture."""
        return self.upright if posture == "upright" else self.supine

    def pressure(self, t: ArrayLike, z: ArrayLike) -> Array:
        """Pressure without noise.

        Parameters
        ----------
        t : array (time,) [s]
            Not decreasing.
        z : array (depth,) [cm]
            On the phantom's axis.

        Returns
        -------
        array (depth, time) [mmHg]

        Raises
        ------
        ParameterError
            If `t` decreases.
        """
        times, depths = np.atleast_1d(np.asarray(t, float)), np.atleast_1d(np.asarray(z, float))
        if (np.diff(times) < 0).any():
            raise ParameterError("expected times in increasing order, got a decreasing step")
        out = _resting_and_sphincters(self, times, depths)
        for swallow in self.swallows:
            lo, hi = np.searchsorted(times, (swallow.onset_s - BEFORE_S, swallow.onset_s + AFTER_S))
            if hi > lo:
                _add_swallow(self.anatomy, swallow, times[lo:hi], depths, out[:, lo:hi])
        return out


def bump(x: Array, order: float) -> Array:
    """Evaluate exp(-|x|**order / 2), a bump of height 1 with a flatter top for a higher order."""
    return np.asarray(np.exp(-0.5 * np.abs(x) ** order))


def static_profile(anatomy: Anatomy, z: Array) -> tuple[Array, Array]:
    """Weights of thoracic and of gastric resting pressure at depth z."""
    below = expit((z - anatomy.les_cm) / 0.35)
    return expit((z - anatomy.ues_cm) / 0.4) * (1 - below), below


def breathing_profile(anatomy: Anatomy, z: Array) -> tuple[Array, Array]:
    """Weights of the thoracic and of the gastric inspiratory swing at depth z."""
    below = expit((z - anatomy.hiatus_cm) / 0.3)
    return expit((z - anatomy.ues_cm) / 0.4) * (1 - below), below


def ues_profile(anatomy: Anatomy, z: Array) -> Array:
    """Shape of the UES, 1 at its middle."""
    width = anatomy.ues_half_cm / (2 * np.log(2)) ** (1 / anatomy.ues_order)
    return bump((z - anatomy.ues_cm) / width, anatomy.ues_order)


def les_profile(anatomy: Anatomy, z: Array) -> Array:
    """Shape of the LES, 1 at its middle."""
    away = z - anatomy.les_cm
    width = anatomy.les_sd_cm * (1 + anatomy.les_skew * np.sign(away))
    return bump(away / width, anatomy.les_order)


def crural_profile(anatomy: Anatomy, z: Array) -> Array:
    """Shape of the crural diaphragm, 1 at its middle."""
    return bump((z - anatomy.crural_cm) / anatomy.crural_sd_cm, 2.0)


def inspiratory_swing(phantom: Phantom, z: Array) -> Array:
    """Inspiratory minus expiratory pressure of the supine resting field [mmHg]."""
    thorax, abdomen = breathing_profile(phantom.anatomy, z)
    tone = phantom.supine
    crural = tone.crural_swing * crural_profile(phantom.anatomy, z)
    return np.asarray(abdomen * tone.gastric_swing - thorax * tone.thoracic_swing + crural)


def amplitudes(anatomy: Anatomy, wave: Wave, z: Array) -> tuple[Array, Array]:
    """Peak pressure of the striated and the smooth segment at depth z [mmHg]."""
    top = _edge_at_20(wave.gap_top_cm, wave.striated_mmhg, wave.edge_cm, -1)
    bottom = _edge_at_20(wave.gap_bottom_cm, wave.smooth_mmhg, wave.edge_cm, +1)
    into = expit((z - anatomy.body_top_cm) / 0.4)
    striated = wave.striated_mmhg * into * expit((top - z) / wave.edge_cm)
    span = anatomy.body_bottom_cm - anatomy.transition_cm
    tilt = 1 + wave.skew * ((z - anatomy.transition_cm) / span - 0.5)
    shape = np.clip(tilt, 0.2, None) * (1 - wave.dip * bump((z - wave.dip_cm) / 1.5, 2.0))
    out_of = expit((anatomy.body_bottom_cm + 0.7 - z) / 0.35)
    smooth = wave.smooth_mmhg * shape * out_of * expit((z - bottom) / wave.edge_cm)
    if wave.ripple:
        factor = wave.variation(z)
        return striated * factor, smooth * factor
    return striated, smooth


def _edge_at_20(place: float, amplitude: float, width: float, way: int) -> float:
    """Center of a logistic edge that crosses 20 mmHg (3 of them baseline) at `place`."""
    return place + way * width * float(np.log(max(amplitude / 17.0 - 1, 0.05)))


def _resting_and_sphincters(phantom: Phantom, t: Array, z: Array) -> Array:
    """Everything that is a depth profile times a course in time, as one product."""
    anatomy, low, high = phantom.anatomy, phantom.supine, phantom.upright
    share = expit((t - phantom.upright_s) / _POSTURE_CHANGE_S)

    def level(name: str) -> Array:
        return np.asarray(getattr(low, name) + share * (getattr(high, name) - getattr(low, name)))

    pause, lift, ues = _ues_course(phantom, t)
    breath = phantom.breathing.inspiration(t) * pause
    gastric, thoracic = level("gastric"), level("thoracic")
    les, relaxed = _les_course(
        phantom, t, level("les") + 0.5 * (gastric - thoracic), gastric - thoracic
    )
    pulse = 0.5 + 0.5 * np.cos(2 * np.pi * phantom.breathing.pulse_hz * t)
    ues = ues * (1 + 0.06 * breath)
    still = np.abs(lift) < 1e-4
    profiles = (
        *static_profile(anatomy, z),
        *breathing_profile(anatomy, z),
        crural_profile(anatomy, z),
        les_profile(anatomy, z),
        bump((z - anatomy.vessel_cm) / 0.9, 2.0),
        ues_profile(anatomy, z),
    )
    courses = (
        thoracic,
        gastric,
        -level("thoracic_swing") * breath,
        level("gastric_swing") * breath,
        (level("crural_tonic") + level("crural_swing") * breath) * (1 - 0.5 * relaxed),
        les,
        level("vessel") * pulse,
        np.where(still, ues, 0.0),
    )
    # Not a matrix product: BLAS threads would take the cores from everybody else.
    out: Array = np.einsum("kz,kt->zt", np.stack(profiles), np.stack(courses))
    moving = np.flatnonzero(~still)
    near = np.flatnonzero(np.abs(z - anatomy.ues_cm) < 12.0)
    if moving.size and near.size:
        lifted = ues_profile(anatomy, z[near, None] + lift[None, moving])
        out[np.ix_(near, moving)] += lifted * ues[moving]
    return out


def _ues_course(phantom: Phantom, t: Array) -> tuple[Array, Array, Array]:
    """Breathing pause (1 = breathing), lift of the UES [cm] and its pressure [mmHg]."""
    pause, lift = np.ones_like(t), np.zeros_like(t)
    ues = np.full_like(t, phantom.supine.ues)
    for swallow in phantom.swallows:
        lo, hi = np.searchsorted(t, (swallow.onset_s - BEFORE_S, swallow.onset_s + 8.0))
        x = t[lo:hi] - swallow.onset_s
        pause[lo:hi] *= 1 - 0.9 * expit((x + 0.2) / 0.08) * expit((1.0 - x) / 0.15)
        shut = swallow.ues_open_s
        lift[lo:hi] += swallow.ues_lift_cm * expit(x / 0.06) * expit((shut + 0.15 - x) / 0.1)
        opened = expit(x / 0.045) * expit((shut - x) / 0.05)
        ues[lo:hi] += (swallow.ues_residual_mmhg - ues[lo:hi]) * opened
        after = np.where(x < shut + 0.35, 0.16, 0.6)
        ues[lo:hi] += (
            swallow.ues_overshoot
            * max(phantom.supine.ues, 20.0)
            * bump((x - shut - 0.35) / after, 2.0)
            * expit((x - shut) / 0.05)
        )
    return pause, lift, ues


def _les_course(phantom: Phantom, t: Array, rest: Array, step: Array) -> tuple[Array, Array]:
    """Height of the LES bump [mmHg] and how far it is relaxed (0 to 1)."""
    les, relaxed = rest.copy(), np.zeros_like(t)
    for swallow in phantom.swallows:
        lo, hi = np.searchsorted(t, (swallow.onset_s - BEFORE_S, swallow.onset_s + AFTER_S))
        x = t[lo:hi] - swallow.onset_s
        rho = expit((x - swallow.les_relax_s) / 0.16) * expit((swallow.les_recover_s - x) / 0.35)
        residual = swallow.les_residual_mmhg + 0.5 * step[lo:hi]
        les[lo:hi] += (residual - les[lo:hi]) * rho
        peak = swallow.les_recover_s + 1.6 * swallow.after_sd_s
        les[lo:hi] += swallow.after_mmhg * bump((x - peak) / swallow.after_sd_s, 2.0)
        relaxed[lo:hi] = np.maximum(relaxed[lo:hi], rho)
    return les, relaxed


def _add_swallow(anatomy: Anatomy, swallow: Swallow, t: Array, z: Array, out: Array) -> None:
    """Add the pharyngeal wave, the contraction and the pressurizations to `out`."""
    x = t - swallow.onset_s
    _add_pharynx(anatomy, swallow, x, z, out)
    wave = swallow.wave
    striated, smooth = amplitudes(anatomy, wave, z)
    start = wave.striated_s + (z - anatomy.body_top_cm) / wave.striated_cm_s
    _add_pulse(striated, start + 0.5, 0.28, 0.55, x, out)
    peak = wave.peak_time(z, smooth)
    _add_pulse(smooth, peak, wave.rise_s, wave.fall_s, x, out)
    for delay, share in wave.repeats:
        _add_pulse(share * smooth, peak + delay, wave.rise_s, wave.fall_s, x, out)
    for item in swallow.pressurizations:
        _add_pressurization(anatomy, wave, item, x, z, out)


def pharynx_peak(anatomy: Anatomy, swallow: Swallow, z: Array) -> Array:
    """Time of the pharyngeal peak at depth z [s after onset]."""
    top = anatomy.ues_cm - anatomy.ues_half_cm - 4.0
    return np.asarray(swallow.pharynx_s + (z - top) / swallow.pharynx_cm_s)


def _add_pharynx(anatomy: Anatomy, swallow: Swallow, x: Array, z: Array, out: Array) -> None:
    ues_top = anatomy.ues_cm - anatomy.ues_half_cm
    shape = expit((z - ues_top + anatomy.pharynx_length_cm) / 0.4) * expit(
        (ues_top + 0.5 - z) / 0.3
    )
    sd = swallow.pharynx_sd_s
    _add_pulse(
        swallow.pharynx_mmhg * shape, pharynx_peak(anatomy, swallow, z), sd, 1.2 * sd, x, out
    )


def _add_pulse(
    amplitude: Array, peak: Array, rise_s: float, fall_s: float, x: Array, out: Array
) -> None:
    """Add a pulse with Gaussian flanks in the rows where it is not negligible."""
    rows = np.flatnonzero(amplitude > 0.02)
    if not rows.size or not x.size:
        return
    first, last = peak[rows].min() - 5.5 * rise_s, peak[rows].max() + 5.5 * fall_s
    lo, hi = np.searchsorted(x, (first, last))
    if hi <= lo:
        return
    lag = x[None, lo:hi] - peak[rows, None]
    scaled = lag / np.where(lag < 0, rise_s, fall_s)
    out[rows, lo:hi] += amplitude[rows, None] * np.exp(-0.5 * scaled * scaled)


def _add_pressurization(
    anatomy: Anatomy, wave: Wave, item: Pressurization, x: Array, z: Array, out: Array
) -> None:
    rows = np.flatnonzero((z > anatomy.body_top_cm - 3) & (z < anatomy.body_bottom_cm + 4))
    lo, hi = np.searchsorted(x, (item.start_s - 12 * item.ramp_s, item.stop_s + 12 * item.ramp_s))
    if not rows.size or hi <= lo:
        return
    depth, time = z[rows], x[lo:hi]
    shape = expit((depth - anatomy.body_top_cm - 0.2) / 0.22)
    shape *= expit((anatomy.body_bottom_cm + 0.2 - depth) / 0.22)
    gate = expit((time - item.start_s) / item.ramp_s) * expit((item.stop_s - time) / item.ramp_s)
    if not item.ahead:
        out[rows, lo:hi] += item.mmhg * shape[:, None] * gate
        return
    before_front = expit((wave.front(depth)[:, None] - 0.1 - time) / 0.1)
    out[rows, lo:hi] += item.mmhg * shape[:, None] * gate * before_front
