"""``hrm warm``: compile ahead, so that the first analysis does not wait for it."""

from __future__ import annotations

import time

import click

from hrm.errors import ParameterError


@click.command(name="warm")
def command() -> None:
    """Compile what an analysis uses, once after an installation or an upgrade.

    Takes half a minute. Without it the first analysis and the first long text file compile
    what they need themselves. The compiled code is kept in the user's cache folder, or in the
    folder that HRM_NUMBA_CACHE names.
    """
    from hrm.kernels._jit import cache_folder

    folder = cache_folder()
    if folder is None:
        raise ParameterError(
            "expected a folder to keep compiled code in, but HRM_NUMBA_CACHE is off or the "
            "folder cannot be written; let HRM_NUMBA_CACHE name one that can"
        )
    start = time.perf_counter()
    _compile()
    spent = time.perf_counter() - start
    click.echo(f"compiled in {spent:.1f} s, kept in {click.format_filename(folder)}", err=True)


def _compile() -> None:
    from hrm.pipeline.warm import made_up, warm_kernels, warm_text
    from hrm.stability import diagnosis_stability

    warm_text()
    warm_kernels()
    diagnosis_stability(made_up(0.0), draws=2)
