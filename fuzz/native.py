"""The native file: with a digest that fits, with one that does not, and with none."""

import io
import random
import tempfile
from pathlib import Path
from typing import Any

from fuzz._harness import Target, open_study
from fuzz._mutate import _CELLS

_VALUES: tuple[Any, ...] = (
    *(0, -1, 1e308, float("nan"), float("inf"), "", "x" * 300, "1", "2", b"\xff", True, [1.0, 2.0]),
    *(["a"], [[1]], 2**63 - 1),
)


def seal(content: bytes) -> bytes:
    """Put the digests behind a content, as hrm does."""
    from hrm.io import _digest

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.nc"
        file.write_bytes(content)
        _digest.append(file)
        return file.read_bytes()


def _parse(data: bytes) -> Any:
    from hrm.io.native import parse

    return parse(data[1:]).nbytes


def _open(data: bytes) -> Any:
    return open_study(None, {"keep_phi": bool(data[:1] > b"\x80")}, data[1:])


def _mutate(data: bytes, rng: random.Random) -> bytes:
    """Flip bytes, or rewrite an attribute or a variable and seal it again."""
    if len(data) < 100:
        return data + bytes(rng.randrange(64))
    if rng.random() < 0.85:
        body = bytearray(data)
        for _ in range(rng.choice((1, 2, 8))):
            at = rng.randrange(1, len(body))
            body[at] = rng.choice(
                (0, 1, 255, body[at] ^ (1 << rng.randrange(8)), rng.randrange(256))
            )
        if rng.random() < 0.2:
            body = body[: rng.randrange(1, len(body))]
        return bytes(body)
    try:
        return data[:1] + _rewritten(data[1:], rng)
    except Exception:  # noqa: BLE001 - it is spoilt already
        return data[: len(data) // 2]


def _rewritten(content: bytes, rng: random.Random) -> bytes:
    import h5py

    from hrm.io import _digest

    # A digest that fits vouches for HDF5 that was written by HDF5: damage is not sealed.
    _digest.check_whole(content, strictness="raise")
    # HDF5 cuts off what stands behind its own content when it has changed it.
    stream = io.BytesIO(content)
    with h5py.File(stream, "r+") as file:
        names: list[str] = ["/"]
        file.visit(names.append)
        item = file[rng.choice(names)]
        attrs = [name for name in item.attrs if name.isalpha() or "_" in name]
        kind = rng.randrange(4)
        if kind == 0 and item.name != "/":
            del file[item.name]
        elif kind == 1 and isinstance(item, h5py.Dataset):
            name, shape = item.name, (*item.shape, 2)[rng.randrange(2) :]
            del file[name]
            file[name] = rng.choice((b"a", 1.5, [1, 2, 3], [[1.0]], ["x"]))
            file[name].attrs["shape"] = shape
        elif attrs and kind == 2:
            del item.attrs[rng.choice(attrs)]
        elif attrs:
            value = rng.choice((*_VALUES, rng.choice(_CELLS).decode("latin-1").strip("\0")))
            item.attrs[rng.choice(attrs)] = value
    return seal(stream.getvalue())


TARGET = Target("native", _parse, _open, _mutate, max_len=48_000)
