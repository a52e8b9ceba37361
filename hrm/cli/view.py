"""``hrm view``: look at a recording in a browser, move landmarks, see what follows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hrm.cli._analysis import analysis_options, asked
from hrm.cli._options import INPUT
from hrm.errors import AnnotationError, MissingDependencyError, ParameterError


@click.command(name="view")
@click.argument("file", type=INPUT)
@click.option(
    "--reviewer",
    metavar="CODE",
    default="",
    help="Keep edits in the review log under this code, like AB; without it nothing is kept.",
)
@click.option(
    "--own-log", is_flag=True, help="Keep them in a log of the reviewer's own, blind to others."
)
@click.option(
    "--blinded",
    is_flag=True,
    help="Show a code, and nothing that says whose recording it is; edits go to an own log.",
)
@click.option("--hide-diagnosis", is_flag=True, help="Hide the automatic diagnosis.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Any free one without it.")
@click.option("--browser/--no-browser", default=True, help="Open the page. [default: yes]")
@click.option(
    "--idle-minutes",
    type=click.FloatRange(min=0.01, max=10_000),
    default=60.0,
    show_default=True,
    help="End when no page asked for anything so long.",
)
@click.option(
    "--allow-remote",
    metavar="NAME",
    help="Let other machines in, which call this one NAME; needs --tls-cert and --tls-key.",
)
@click.option("--tls-cert", metavar="PEM", type=INPUT, help="Certificate for --allow-remote.")
@click.option("--tls-key", metavar="PEM", type=INPUT, help="Its key.")
@analysis_options
def command(
    file: Path,
    reviewer: str,
    own_log: bool,
    blinded: bool,
    hide_diagnosis: bool,
    port: int,
    browser: bool,
    idle_minutes: float,
    allow_remote: str | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    **given: Any,
) -> None:
    """Open FILE in a browser on this machine.

    Landmarks and swallows can be moved; numbers and diagnosis follow. With --reviewer what
    is changed goes to the review log that 'hrm analyze' replays.
    """
    if given.get("stability"):
        raise click.UsageError("--stability is not shown by hrm view yet")
    if own_log and not reviewer:
        raise click.UsageError("--own-log needs --reviewer CODE")
    _check_reviewer(reviewer)
    remote = _remote(allow_remote, tls_cert, tls_key)
    try:
        from hrm.viewer.serve import Terms, serve
    except ImportError as err:
        raise MissingDependencyError(
            "the viewer needs packages that are not installed: pip install 'hrm[viewer]'"
        ) from err
    terms = Terms(port, browser, idle_minutes * 60.0, remote)
    folder, ignored = given["review_dir"] or file.parent, given["ignore_review"]
    # The log is read by the viewer, which says on the page what is wrong with it.
    said = asked(file, given, review=False)
    from hrm.viewer.journal import Place

    sha256 = str(said.recording.attrs["source_sha256"])
    # A blinded reader must not see what others wrote into the log that all share.
    place = Place(folder, sha256, reviewer, bool(reviewer) and (own_log or blinded))
    ignored = ignored or (blinded and not reviewer)
    mask = _mask(file, sha256, blinded=blinded, hide=hide_diagnosis)

    def opening() -> Any:
        # Imported in the thread that measures: until then the page is served already.
        from hrm.viewer.session import Opened, Session

        return Session(Opened(file, said.recording, said.options, place, ignored, mask))

    serve(opening, terms, lambda line: click.echo(line, err=True))


def _mask(file: Path, sha256: str, *, blinded: bool, hide: bool) -> Any:
    from hrm.viewer.mask import Mask
    from hrm.worklist.order import codes

    code = codes([sha256], 0)[sha256] if blinded else ""
    return Mask(code, str(file), sha256, blinded=blinded, no_diagnosis=hide)


def _check_reviewer(code: str) -> None:
    import re

    from hrm.edits import READER

    if code and not re.fullmatch(READER, code):
        raise AnnotationError(
            "--reviewer must be a code of 2 to 12 of the characters A-Z, 0-9, - and _, not a name"
        )


def _remote(name: str | None, certificate: Path | None, key: Path | None) -> Any:
    if name is None:
        if certificate or key:
            raise click.UsageError("--tls-cert and --tls-key go with --allow-remote")
        return None
    if certificate is None or key is None:
        raise ParameterError(
            "--allow-remote sends a patient's recording over the network and needs TLS: give "
            "--tls-cert and --tls-key"
        )
    from hrm.viewer.serve import Remote

    return Remote(name, certificate, key)
