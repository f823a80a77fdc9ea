"""What a detector of slumps needs and what it answers: the door between the pipeline and any network."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from catalog.facts.causes import Cause
from catalog.facts.detector_cards import MASK_PX, DetectorCard
from catalog.facts.errors import BandsMissing, GridMismatch
from models.segmenter.contract import OPTICAL, ModalityNeed, WindowArrays, WindowBatch, has_optics

MIN_VALID_SHARE = 0.3
"""Share of usable pixels from which a window is judged; what a window shows less of was not looked at."""


@dataclass(frozen=True, slots=True)
class DetectorContract:
    """All that the caller must know to feed a detector."""

    needs: tuple[ModalityNeed, ...]
    window_px: int
    """Side of what is predicted at once, pixels of 10 m."""
    stride_px: int
    halo_px: int
    """Pixels read around a window, for what terrain needs; nothing is detected in them."""
    up: int
    """Network pixels per pixel of 10 m along a side; boxes are in network pixels."""
    batch_size: int
    min_valid_share: float = MIN_VALID_SHARE

    def __post_init__(self) -> None:
        """Raise GridMismatch when windows would leave gaps."""
        if not 1 <= self.stride_px <= self.window_px:
            raise GridMismatch(
                f"Windows of {self.window_px} px leave gaps at a stride of {self.stride_px} px: use a stride of 1 to {self.window_px} px."
            )

    @property
    def read_px(self) -> int:
        """Side of the arrays that are handed to the detector."""
        return self.window_px + 2 * self.halo_px

    def bands(self, modality: str) -> tuple[str, ...]:
        """Bands that the detector cannot do without of one modality; empty when it does not read it."""
        return next((need.bands for need in self.needs if need.modality == modality and need.required), ())


@dataclass(frozen=True, slots=True)
class WindowInstances:
    """What a detector found in one window, the surest first."""

    boxes: NDArray[np.float32]
    """(n, 4), x0 y0 x1 y1 in network pixels from the upper left corner of the window without halo, continuous edges."""
    scores: NDArray[np.float32]
    """(n,), 0..1."""
    masks: NDArray[np.float32]
    """(n, 28, 28), probability inside the frame of the box."""

    def __len__(self) -> int:
        """Count the instances."""
        return len(self.scores)


def nothing_found() -> WindowInstances:
    """Return the answer for a window without any slump."""
    return WindowInstances(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty((0, MASK_PX, MASK_PX), np.float32))


@runtime_checkable
class Detector(Protocol):
    """A detector of slumps: windows in, instances out. It must not remember anything between calls."""

    @property
    def name(self) -> str:
        """Name in the registry."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the numbers do."""
        ...

    @property
    def sha256(self) -> str:
        """Hash of the weights."""
        ...

    @property
    def licence(self) -> str:
        """SPDX name of the licence of the weights."""
        ...

    @property
    def card(self) -> DetectorCard:
        """Thresholds, calibration, and what it was trained on."""
        ...

    @property
    def contract(self) -> DetectorContract:
        """What the detector needs."""
        ...

    def predict(self, batch: WindowBatch) -> list[WindowInstances]:
        """Find slumps in every window; arrays and origins of the batch are those of the windows with their halo."""
        ...


def check(contract: DetectorContract, available: Mapping[str, Collection[str]], *, model: str = "the detector") -> None:
    """Raise BandsMissing when a cube with the `available` bands (by modality) cannot feed the detector."""
    missing = [
        f"{need.modality}/{band}"
        for need in contract.needs
        if need.required
        for band in need.bands
        if band not in available.get(need.modality, ())
    ]
    if missing:
        raise BandsMissing(
            f"{model} needs {', '.join(missing)}, which the cube lacks: rebuild the surface with these bands or choose another model."
        )


def usable(contract: DetectorContract, window: WindowArrays) -> NDArray[np.bool_]:
    """Return the pixels (y, x) of a window's arrays that were clear and hold every optical band that is needed."""
    return np.asarray((window.cause == Cause.USABLE) & has_optics(window, contract.bands(OPTICAL)), np.bool_)


def valid_share(contract: DetectorContract, window: WindowArrays) -> float:
    """Return the share of usable pixels of a window, its halo left out, 0 to 1."""
    halo = contract.halo_px
    inner = usable(contract, window)[halo : halo + contract.window_px, halo : halo + contract.window_px]
    return float(inner.mean())
