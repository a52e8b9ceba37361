"""Options of every command that analyzes a recording, and the analysis with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from hrm.cli._options import INPUT, open_file, reading, reading_options, swallows_of
from hrm.cli._parameters import irp_limit_option, parameters_option
from hrm.cli._stability import stability_asked, stability_options
from hrm.cli.quality import drift_option, with_drift
from hrm.cli.review import review_dir_option, review_of
from hrm.errors import ParameterError

if TYPE_CHECKING:
    import xarray as xr

F = TypeVar("F", bound=Callable[..., Any])


class Asked(NamedTuple):
    """A recording, and what was said of it: keywords of `hrm.analyze`."""

    recording: xr.DataTree
    options: dict[str, Any]
    #: Keywords of `hrm.diagnosis_stability`, or None.
    stability: dict[str, int] | None

    def analyzed(self) -> xr.DataTree:
        """Analyze, with stability if it was asked for."""
        if self.stability is None:
            from hrm.pipeline import analyze

            return analyze(self.recording, **self.options)
        from hrm.stability import diagnosis_stability

        return diagnosis_stability(self.recording, **self.stability, **self.options)


def analysis_options(function: F) -> F:
    """Add the options that say what a recording cannot; `asked` collects them."""
    return _with(function, (*_MEASURING, *_DIAGNOSIS, stability_options, *_READING))


def measuring_options(function: F) -> F:
    """Add those of them on which a number rests, for a command that gives no diagnosis."""
    return _with(function, (*_MEASURING, *_READING))


def _with(function: F, options: Sequence[Callable[..., Any]]) -> F:
    for option in reversed(options):
        function = option(function)
    return function


def asked(file: Path, given: dict[str, Any], *, review: bool = True) -> Asked:
    """Open a recording with the options, which are taken out of the arguments.

    Parameters
    ----------
    file : Path
    given : dict
        Arguments of a command with `analysis_options` or `measuring_options`.
    review : bool
        Look for the review log that counts; without, the caller reads one itself.

    Raises
    ------
    HrmError
        If the file or a table cannot be read, or says what cannot be.
    """
    from hrm.io.swallow_table import load_swallow_table

    said, clinical = reading(given), _clinical(given)
    stability = stability_asked(given) if "stability" in given else None
    table, drift = given.pop("table"), given.pop("drift")
    listed = load_swallow_table(table) if table else None
    recording = with_drift(open_file(file, said), drift)
    swallows = swallows_of(listed, recording)
    _check_onsets(recording, swallows)
    review_dir, ignored = given.pop("review_dir"), given.pop("ignore_review")
    options = {
        "system": said.system,
        "posture": given.pop("posture"),
        # What was saved with a study holds unless a table says otherwise.
        "swallows": swallows if listed else None,
        "clinical": clinical,
        "irp_limit": given.pop("irp_limit"),
        "parameters": given.pop("parameters"),
        "review": review_of(recording, file, review_dir, ignore=ignored) if review else None,
    }
    return Asked(recording, options, stability)


def _symptoms(
    _context: click.Context, _option: click.Parameter, text: str | None
) -> list[str] | None:
    """Symptoms as a list, empty when asked and absent."""
    if text is None:
        return None
    given = [part.strip() for part in text.split(",")]
    if given == ["none"]:
        return []
    if not set(given) <= {"dysphagia", "chest_pain"}:
        raise click.BadParameter("expected dysphagia, chest_pain, both with a comma, or none")
    return given


def _clinical(given: dict[str, Any]) -> dict[str, Any]:
    """Take what was said of the patient out of the arguments."""
    names = ("symptoms", "tbe", "flip", "opioids", "prior_surgery")
    said = {name: given.pop(name, None) for name in names}
    if said["opioids"] is not None:
        said["opioids"] = said["opioids"] == "yes"
    return {name: value for name, value in said.items() if value is not None}


def _check_onsets(recording: xr.DataTree, rows: Sequence[dict[str, Any]]) -> None:
    duration = recording["pressure"].sizes["time"] / float(recording.attrs["sampling_rate"])
    late = [f"{row['onset_s']:g}" for row in rows if row["onset_s"] >= duration]
    if late:
        raise ParameterError(
            f"swallow table: onset_s {', '.join(late[:8])} is beyond the end of the recording "
            f"({duration:.1f} s); onsets count from the first sample of the file"
        )


_TEST = click.Choice(["abnormal", "normal"])
_MEASURING: tuple[Callable[..., Any], ...] = (
    click.option(
        "--posture",
        type=click.Choice(["supine", "upright"]),
        help="Posture of the swallows that the table does not name.",
    ),
    click.option(
        "--swallows",
        "table",
        metavar="CSV",
        type=INPUT,
        help="What is known of each swallow: onset_s (s from the first sample) or start (samples), "
        "posture, protocol.",
    ),
    irp_limit_option,
    review_dir_option,
    click.option(
        "--no-review", "ignore_review", is_flag=True, help="Ignore the review log of FILE, if any."
    ),
    parameters_option,
    drift_option,
)
#: What the recording cannot say of the patient; handed on as `clinical` to `hrm.analyze`.
_DIAGNOSIS: tuple[Callable[..., Any], ...] = (
    click.option(
        "--symptoms",
        metavar="LIST|none",
        callback=_symptoms,
        help="dysphagia, chest_pain, or both with a comma; none: asked and absent.",
    ),
    click.option("--tbe", type=_TEST, help="Timed barium esophagram."),
    click.option("--flip", type=_TEST, help="Functional lumen imaging probe."),
    click.option("--opioids", type=click.Choice(["yes", "no"]), help="Patient takes opioids."),
    click.option(
        "--prior-surgery",
        type=click.Choice(["none", "myotomy", "dilation", "fundoplication", "other"]),
        help="After an operation no Chicago label is given, but a description.",
    ),
)
_READING: tuple[Callable[..., Any], ...] = (reading_options,)
