"""Eight bytes of text at a time: cells and their digits inside one 64-bit word.

The first byte of the text is the lowest of the word. A mark is the high bit of a byte.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hrm.kernels._jit import kernel

_U = np.uint64

# Eight bytes in one word. No sum below carries from one byte into the next.
EACH = _U(0x0101010101010101)
_HIGH = _U(0x8080808080808080)
_LOW = _U(0x7F7F7F7F7F7F7F7F)
_ALL_ZEROS = _U(0x3030303030303030)
PAST_NINE = _U(0x7676767676767676)  # lifts bytes of 10 and more to the high bit
PAST_NOTHING = _LOW  # lifts bytes of 1 and more
PAST_SPACE = _U(0x5F5F5F5F5F5F5F5F)  # lifts bytes of 33 and more
PAST_CONTROLS = _U(0x6060606060606060)  # lifts bytes of 32 and more
_MINUS_TO_ZERO = _U(0x2D ^ 0x30)
_POINT_BITS = _U(0x2E ^ 0x30)
_BYTES_04 = _U(0x000000FF000000FF)


@kernel
def word_at(data: NDArray[np.uint8], i: np.uint64) -> np.uint64:
    """Eight bytes, the first in the lowest place; compiles to a single load."""
    # The index is unsigned, or each byte would be checked for an index from the end.
    return (
        _U(data[i])
        | _U(data[i + _U(1)]) << _U(8)
        | _U(data[i + _U(2)]) << _U(16)
        | _U(data[i + _U(3)]) << _U(24)
        | _U(data[i + _U(4)]) << _U(32)
        | _U(data[i + _U(5)]) << _U(40)
        | _U(data[i + _U(6)]) << _U(48)
        | _U(data[i + _U(7)]) << _U(56)
    )


@kernel
def beyond(word: np.uint64, lift: np.uint64) -> np.uint64:
    """Mark (by its high bit) each byte that `lift` carries there, and each that has it."""
    return (((word & _LOW) + lift) | word) & _HIGH


@kernel
def ends_in(word: np.uint64, ends: np.uint64, past: np.uint64) -> np.uint64:
    """Mark the bytes that end a cell."""
    gap = word ^ ends
    # The next cell is known when this is: what can be computed beside it, is.
    return ~((gap & _LOW) + past) & (~gap & _HIGH)


@kernel
def bits_before(marks: np.uint64) -> np.uint64:
    """Bits before the first mark: 7 more than there are in its bytes before; 64 if no mark."""
    # LLVM knows this loop and makes one instruction (count trailing zeros) of it.
    count = _U(64)
    while marks != _U(0):
        marks <<= _U(1)
        count -= _U(1)
    return count


@kernel
def aligned(word: np.uint64, n_bits: np.uint64, minus: np.uint64) -> np.uint64:
    """Move a cell to the end of its word; digits become 0 to 9, a minus sign 0.

    Zeros fill in before the first digit.
    """
    return (word ^ _ALL_ZEROS ^ (_MINUS_TO_ZERO * minus)) << (_U(64) - n_bits)


@kernel
def without_point(digits: np.uint64, others: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Take the decimal point out: digits, and decimals, 8 if it is not just a point."""
    place = bits_before(others) - _U(7)
    point = others >> _U(7)
    digits ^= point * _POINT_BITS
    before = point - _U(1)
    # One byte that is no digit, a point, and not the last: so there is a digit too.
    alone = others & (others - _U(1)) == _U(0) and place != _U(56)
    if not alone or (digits >> place) & _U(255) != _U(0):
        return digits, _U(8)
    return (digits & before) << _U(8) | (digits & ~before), _U(7) - (place >> _U(3))


@kernel
def eight_digits(digits: np.uint64) -> np.uint64:
    """Compute the number of eight decimal digits, one a byte, the first lowest."""
    # A pair is below 100 and stays in its byte; every other byte holds one that counts.
    pairs = digits * _U(10) + (digits >> _U(8))
    fours = (pairs & _BYTES_04) * _U(100) + ((pairs >> _U(16)) & _BYTES_04)
    return (fours & _U(0xFFFF)) * _U(10000) + (fours >> _U(32))
