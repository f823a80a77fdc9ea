"""Exact medians over dates of counts or backscatter, by sorting networks that the compiler turns into SIMD."""

from functools import lru_cache
from typing import Final

import numba
import numpy as np
import numpy.typing as npt

Use = npt.NDArray[np.uint8]
BLOCK_PX: Final = 512
"""Pixels sorted at once: 20 dates of them are 20 KB and stay in the first-level cache."""


def masked_median(
    stack: npt.NDArray[np.uint16], use: Use, *, factor: int = 1, out: npt.NDArray[np.uint16] | None = None
) -> npt.NDArray[np.uint16]:
    """Return the median (y, x) over dates of the counts (date, y, x) that are used and not 0; 0 where there is none.

    `use` is (date, y / factor, x / factor): one flag serves `factor` x `factor` counts. An even number of counts gives the
    floor of the mean of the two in the middle.
    """
    dates = stack.shape[0]
    middle = np.arange(dates + 1)
    low, high = np.maximum(middle - 1, 0) // 2, middle // 2
    return _rank(stack, use, (low, high), factor, out)


def masked_quantile(stack: npt.NDArray[np.uint16], use: Use, share: float, *, factor: int = 1) -> npt.NDArray[np.uint16]:
    """Return the count at the lower `share` (0 to 1) of those used per pixel, without interpolation; 0 where there is none."""
    rank = np.floor(np.maximum(np.arange(stack.shape[0] + 1) - 1, 0) * share).astype(np.int64)
    return _rank(stack, use, (rank, rank), factor, None)


def _rank(
    stack: npt.NDArray[np.uint16],
    use: Use,
    ranks: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    factor: int,
    out: npt.NDArray[np.uint16] | None,
) -> npt.NDArray[np.uint16]:
    result = np.zeros(stack.shape[1:], dtype=np.uint16) if out is None else out
    if stack.shape[0] == 0:
        result[:] = 0
        return result
    low, high = (rank.astype(np.uint8) for rank in ranks)
    _median_counts(stack, use, factor, _network(stack.shape[0]), (low, high), result)
    return result


def median_linear(stack: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the median (y, x) over dates of linear power (date, y, x), NaN excluded; NaN where there is none."""
    out = np.full(stack.shape[1:], np.nan, dtype=np.float32)
    if stack.shape[0]:
        _median_power(stack, _network(stack.shape[0]), out)
    return out


@lru_cache(maxsize=64)
def _network(count: int) -> npt.NDArray[np.int64]:
    """Comparators (pair, 2) of Batcher's odd-even merge sort for any `count` (Knuth, TAOCP 3, 5.2.2, algorithm M)."""
    pairs = []
    top = 1 << max(count - 1, 0).bit_length() >> 1
    p = top
    while p > 0:
        q, r, d = top, 0, p
        while True:
            pairs += [(i, i + d) for i in range(count - d) if i & p == r]
            if q == p:
                break
            d, q, r = q - p, q >> 1, p
        p >>= 1
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


@numba.njit(nogil=True, cache=True)
def _sort_rows(buffer, network, width):  # type: ignore[no-untyped-def]
    for pair in range(network.shape[0]):
        first, second = buffer[network[pair, 0]], buffer[network[pair, 1]]
        for x in range(width):
            a, b = first[x], second[x]
            first[x] = min(a, b)
            second[x] = max(a, b)


@numba.njit(nogil=True, cache=True)
def _spread(flags, factor, out):  # type: ignore[no-untyped-def]
    """Repeat each flag `factor` times; the case of 2 is apart because the compiler can make SIMD of it."""
    if factor == 1:
        out[: flags.shape[0]] = flags
    elif factor == 2:
        for x in range(flags.shape[0]):
            out[2 * x] = flags[x]
            out[2 * x + 1] = flags[x]
    else:
        for x in range(flags.shape[0] * factor):
            out[x] = flags[x // factor]


@numba.njit(nogil=True, cache=True)
def _load_counts(row, flags, values, count):  # type: ignore[no-untyped-def]
    """Copy a row of counts, those not used as 65535 so that they sort behind; add up what is used."""
    for x in range(row.shape[0]):
        used = (row[x] != 0) & (flags[x] != 0)
        values[x] = row[x] if used else np.uint16(65535)
        count[x] += np.uint8(used)


@numba.njit(nogil=True, cache=True)
def _pick(buffer, count, low, high, out):  # type: ignore[no-untyped-def]
    """Mean, rounded down, of the values at ranks low and high of each pixel's count."""
    width = out.shape[0]
    low_rank, high_rank = np.empty(width, np.uint8), np.empty(width, np.uint8)
    total = np.zeros(width, np.uint32)
    for x in range(width):
        low_rank[x], high_rank[x] = low[count[x]], high[count[x]]
    for rank in range(buffer.shape[0]):
        values = buffer[rank]
        for x in range(width):
            value = np.uint32(values[x])
            total[x] += value * np.uint32(low_rank[x] == rank) + value * np.uint32(high_rank[x] == rank)
    for x in range(width):
        out[x] = np.uint16(total[x] >> np.uint32(1)) if count[x] > 0 else np.uint16(0)


@numba.njit(nogil=True, cache=True)
def _median_counts(stack, use, factor, network, ranks, out):  # type: ignore[no-untyped-def]
    low, high = ranks
    dates, height, width = stack.shape
    block = BLOCK_PX // factor * factor
    buffer, flags = np.empty((dates, block), np.uint16), np.empty(block, np.uint8)
    for y in range(height):
        for left in range(0, width, block):
            right = min(left + block, width)
            count = np.zeros(right - left, np.uint8)
            for date in range(dates):
                _spread(use[date, y // factor, left // factor : (right + factor - 1) // factor], factor, flags)
                _load_counts(stack[date, y, left:right], flags, buffer[date], count)
            _sort_rows(buffer, network, right - left)
            _pick(buffer, count, low, high, out[y, left:right])


@numba.njit(nogil=True, cache=True)
def _median_power(stack, network, out):  # type: ignore[no-untyped-def]
    dates, height, width = stack.shape
    buffer = np.empty((dates, BLOCK_PX), np.float32)
    for y in range(height):
        for left in range(0, width, BLOCK_PX):
            right = min(left + BLOCK_PX, width)
            count = np.zeros(right - left, np.int64)
            for date in range(dates):
                row = stack[date, y, left:right]
                for x in range(right - left):
                    known = not np.isnan(row[x])
                    buffer[date, x] = row[x] if known else np.float32(np.inf)
                    count[x] += known
            _sort_rows(buffer, network, right - left)
            for x in range(right - left):
                if count[x]:
                    out[y, left + x] = np.float32(0.5) * (buffer[(count[x] - 1) // 2, x] + buffer[count[x] // 2, x])
