"""Phantoms shared by the tests: drawn once, and one simple enough for closed forms."""

import math
from functools import cache

from hrm.phantom import draw, truth
from hrm.phantom.field import Anatomy, Breathing, Phantom, Swallow, Tone, Wave

UES_CM, LES_CM, LES_SD_CM = 20.0, 43.0, 1.1
BODY_TOP_CM, BODY_BOTTOM_CM = 21.5, 41.0


@cache
def drawn(phenotype, seed, borderline=False, n_upright=2):
    return draw(phenotype, seed=seed, borderline=borderline, n_upright=n_upright)


@cache
def drawn_truth(phenotype, seed, borderline=False, n_upright=2):
    return truth(drawn(phenotype, seed, borderline, n_upright), offset_cm=12.25)


def plain_phantom(*, breathing=False, onset_s=60.0, residual=9.0, wave=None, ues=60.0):
    """One swallow over a flat baseline of 0 mmHg, so that closed forms hold."""
    anatomy = Anatomy(
        ues_cm=UES_CM,
        ues_half_cm=1.5,
        ues_order=2.0,
        pharynx_length_cm=7.0,
        body_top_cm=BODY_TOP_CM,
        body_bottom_cm=BODY_BOTTOM_CM,
        transition_cm=27.0,
        les_cm=LES_CM,
        les_sd_cm=LES_SD_CM,
        les_order=2.0,
        crural_cm=43.5,
        crural_sd_cm=0.7,
        hiatus_cm=43.0,
        vessel_cm=30.0,
    )
    tone = Tone(
        gastric=0.0,
        thoracic=0.0,
        gastric_swing=3.0 if breathing else 1e-9,
        thoracic_swing=5.0 if breathing else 1e-9,
        crural_swing=6.0 if breathing else 0.0,
        crural_tonic=0.0,
        les=30.0,
        ues=ues,
        vessel=0.0,
    )
    swallow = Swallow(
        onset_s=onset_s,
        posture="supine",
        protocol="single",
        pharynx_mmhg=120.0,
        pharynx_s=0.4,
        pharynx_cm_s=12.0,
        pharynx_sd_s=0.12,
        ues_residual_mmhg=0.0,
        ues_open_s=0.8,
        ues_lift_cm=1.5,
        ues_overshoot=0.5,
        les_residual_mmhg=residual,
        les_relax_s=1.0,
        les_recover_s=9.5,
        after_mmhg=0.0,
        after_sd_s=1.0,
        wave=wave or plain_wave(),
    )
    return Phantom(
        phenotype="normal",
        seed=0,
        borderline="",
        anatomy=anatomy,
        supine=tone,
        upright=tone,
        upright_s=math.inf,
        breathing=Breathing(0.25, 0.0, 0.2, 0.03, 1.3, 1.1),
        swallows=(swallow,),
        quiet_s=((4.0, 50.0),),
        duration_s=95.0,
    )


def plain_wave(*, height=100.0, gap=0.0, latency=6.5, top=27.0):
    """A contraction of even height: 4 cm/s to 38 cm, 1 cm/s beyond."""
    return Wave(
        striated_mmhg=60.0,
        striated_s=0.8,
        striated_cm_s=4.0,
        smooth_mmhg=height,
        gap_top_cm=top,
        gap_bottom_cm=top + gap,
        edge_cm=0.5,
        dip=0.0,
        dip_cm=36.0,
        skew=0.0,
        cdp_cm=38.0,
        cdp_s=latency,
        fast_cm_s=4.0,
        slow_cm_s=1.0,
        rise_s=0.5,
        fall_s=1.0,
    )
