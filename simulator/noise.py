"""Seeded randomness: every draw is keyed by what it is for, never by the order of calls."""

import zlib

import numpy as np
import numpy.typing as npt
from scipy import fft

Floats = npt.NDArray[np.float32]


def generator(seed: int, *keys: str | int) -> np.random.Generator:
    """Generator for one purpose: the same seed and keys give the same numbers whatever was drawn before."""
    words = [seed, *(key if isinstance(key, int) else zlib.crc32(key.encode()) for key in keys)]
    return np.random.default_rng(np.random.SeedSequence([abs(word) for word in words]))


def fractal(shape: tuple[int, int], rng: np.random.Generator, *, exponent: float = 2.2, longest_px: float = 1e9) -> Floats:
    """Field with mean 0 and deviation 1 whose power falls as frequency to minus `exponent` (spectral synthesis).

    Wavelengths above `longest_px` are damped. Source: Saupe in Peitgen & Saupe, The Science of Fractal Images (1988), chapter 2.
    """
    height, width = (fft.next_fast_len(side + side // 8, real=True) for side in shape)
    spectrum = fft.rfft2(rng.standard_normal((height, width), dtype=np.float32))
    squared = np.square(fft.fftfreq(height))[:, None] + np.square(fft.rfftfreq(width))[None, :]
    squared[0, 0] = np.inf
    floor = 1.0 / longest_px**2
    field = fft.irfft2(spectrum * (squared + floor) ** (-exponent / 4), s=(height, width))[: shape[0], : shape[1]]
    return np.asarray((field - field.mean()) / field.std(), dtype=np.float32)


def smoothstep(value: npt.NDArray[np.floating], low: float, high: float) -> Floats:
    """Rise from 0 at `low` to 1 at `high` without corners."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), dtype=np.float32)
