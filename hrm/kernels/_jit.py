"""The one set of compiler options, and a disk cache that cannot go stale.

Numba's own cache keeps serving old machine code when only a *helper* of a cached
function changed. Here the cache folder is named by a digest of all kernel
sources, the numba version and the processor, so any edit or upgrade misses it
and a repeated run hits it. ``HRM_NUMBA_CACHE=off`` turns the cache off; any other
value names the folder to use.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from platformdirs import user_cache_path

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile a kernel with the project's options; typed as the plain function."""
    dispatcher = numba.njit(nogil=True, error_model="numpy")(function)
    folder = cache_folder()
    if folder is not None and hasattr(dispatcher, "enable_caching"):
        _enable_cache(dispatcher, folder)
    # To its callers a kernel is the plain function: same arguments, same result.
    return cast("F", dispatcher)


@cache
def cache_folder() -> Path | None:
    """Folder of the compiled kernels; None when caching is off or impossible."""
    wanted = os.environ.get("HRM_NUMBA_CACHE", "")
    if wanted.lower() == "off":
        return None
    root = Path(wanted) if wanted else user_cache_path("hrm") / "kernels"
    folder = root / _digest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        # A read-only home only costs compile time; it must not stop an analysis.
        return None
    return folder if os.access(folder, os.W_OK) else None


def _digest() -> str:
    text = hashlib.sha256(f"{numba.__version__} {_cpu_name()}".encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        text.update(source.read_bytes())
    return text.hexdigest()[:16]


def _cpu_name() -> str:
    from llvmlite import binding

    return str(binding.get_host_cpu_name())


def _enable_cache(dispatcher: Any, folder: Path) -> None:
    # Numba reads its folder from here; the stubs do not know the attribute.
    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder)
    try:
        dispatcher.enable_caching()
    except RuntimeError:
        # "No locator available": sources in a zip or typed at a prompt.
        pass
    finally:
        config.CACHE_DIR = before
