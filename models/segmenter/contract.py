"""What a model of water needs, what it returns, and the check that a cube can feed it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from catalog.facts.bands import S2_NODATA, s2_index
from catalog.facts.causes import Cause
from catalog.facts.errors import BandsMissing, GridMismatch, WeightsUnfit

OPTICAL = "s2"
RADAR = "s1"
ELEVATION = "dem"
_T = TypeVar("_T", bound=np.generic)


@dataclass(frozen=True, slots=True)
class ModalityNeed:
    """Bands of one array of the cube that a model reads, by their names there."""

    modality: str
    """Name of the array in the cube: `s2`, `s1` or `dem`."""
    bands: tuple[str, ...]
    units: str
    """Units as stored, for example `1e-4` for reflectance counts or `dB`."""
    required: bool = True
    """Without an optional modality the model still runs, with less confidence."""
    helpful: tuple[str, ...] = ()
    """Further bands that the model reads where they hold data, and does without where they do not."""


@dataclass(frozen=True, slots=True)
class InputContract:
    """All that the caller must know to feed a model."""

    needs: tuple[ModalityNeed, ...]
    window_px: int
    stride_px: int
    margin_px: int = 0
    """Pixels at the window's edge whose prediction is not used: their context is cut."""
    any_of: frozenset[str] = frozenset()
    """At least one of these modalities must be in the cube; empty when `required` says it all."""
    batch_size: int = 1
    """Windows per call that suit the model."""
    devices: tuple[str, ...] = ("cpu",)
    sees_through: frozenset[Cause] = frozenset()
    """Causes that do not blind the model where the cube has radar."""
    blends: Literal["probability", "logit"] = "probability"
    """What the model answers, and what is averaged where windows overlap."""
    profile: Literal["linear", "hann"] = "linear"
    """How the weight falls towards the edge of a window (see `windows.axis_weights`)."""
    temperature: float = 1.0
    """Blended logits are divided by it before they become probabilities."""
    may_abstain: bool = False
    """The model may answer NaN where it has no clear optics; the pixel then counts as not observed."""
    gives_spread: bool = False

    def __post_init__(self) -> None:
        """Raise GridMismatch when the windows would leave gaps, WeightsUnfit without a positive temperature."""
        if not self.temperature > 0:
            raise WeightsUnfit(f"A temperature of {self.temperature} makes no probabilities: calibrate the weights again.")
        if self.stride_px < 1 or self.window_px - 2 * self.margin_px < self.stride_px:
            raise GridMismatch(
                f"Windows of {self.window_px} px with a margin of {self.margin_px} px leave gaps at a stride of "
                f"{self.stride_px} px: use a stride of at most {self.window_px - 2 * self.margin_px} px."
            )

    def bands(self, modality: str) -> tuple[str, ...]:
        """Bands that the model cannot do without of one modality; empty when it does not read it."""
        return next((need.bands for need in self.needs if need.modality == modality), ())


@dataclass(frozen=True, slots=True)
class WindowArrays:
    """One window of the cube; a modality that the cube lacks is None, outside the cube lie fill values."""

    cause: NDArray[np.uint8]
    """(y, x), codes of `Cause`."""
    s2: NDArray[np.uint16] | None = None
    """(12, y, x), reflectance x 10 000, 0 = nodata."""
    s1: NDArray[np.float32] | None = None
    """(2, y, x), VV and VH in dB, NaN = nodata."""
    dem: NDArray[np.float32] | None = None
    """(y, x), metres, NaN = nodata."""
    looks: NDArray[np.uint8] | None = None

    def part(self, place: tuple[slice, slice]) -> "WindowArrays":
        """Views of a rectangle (y, x) of the window."""
        every = (..., *place)
        return WindowArrays(
            self.cause[every],
            None if self.s2 is None else self.s2[every],
            None if self.s1 is None else self.s1[every],
            None if self.dem is None else self.dem[every],
            None if self.looks is None else self.looks[every],
        )


@dataclass(frozen=True, slots=True)
class WindowBatch:
    """N windows of one zone stacked by modality; a modality that the cube lacks is None."""

    origins_yx: NDArray[np.int64]
    """(N, 2), global pixel of each upper left corner (see `Tile.origin_yx_px`)."""
    cause: NDArray[np.uint8]
    """(N, y, x)."""
    s2: NDArray[np.uint16] | None = None
    """(N, 12, y, x)."""
    s1: NDArray[np.float32] | None = None
    """(N, 2, y, x)."""
    dem: NDArray[np.float32] | None = None
    """(N, y, x)."""
    looks: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        """Count the windows."""
        return len(self.cause)

    def window(self, index: int) -> WindowArrays:
        """Views of one window."""
        return WindowArrays(
            self.cause[index],
            None if self.s2 is None else self.s2[index],
            None if self.s1 is None else self.s1[index],
            None if self.dem is None else self.dem[index],
            None if self.looks is None else self.looks[index],
        )


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says about a batch."""

    answer: NDArray[np.float32]
    """(N, y, x), probability in 0..1 or logits as the contract says; read only where the window is usable; NaN where a model
    abstains that may."""
    spread: NDArray[np.float32] | None = None
    """(N, y, x) in 0..1, disagreement of members; None when the model has none."""
    network_seconds: float | None = None
    """What of the call a network took; None when the model is not built around one."""


@runtime_checkable
class Segmenter(Protocol):
    """A model of water: windows in, probability out. It must not remember anything between calls."""

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
        """Hash of the weights; of version and parameters for a model without weights."""
        ...

    @property
    def licence(self) -> str:
        """SPDX name of the licence of the weights."""
        ...

    @property
    def contract(self) -> InputContract:
        """What the model needs."""
        ...

    def predict(self, batch: WindowBatch) -> Prediction:
        """Probability of water for every pixel of every window."""
        ...


def stack(windows: list[tuple[tuple[int, int], WindowArrays]]) -> WindowBatch:
    """Stack windows of equal size, each with its origin (y, x), to one batch."""
    arrays = [window for _, window in windows]
    return WindowBatch(
        np.array([origin for origin, _ in windows], np.int64),
        np.stack([window.cause for window in arrays]),
        _stacked([window.s2 for window in arrays]),
        _stacked([window.s1 for window in arrays]),
        _stacked([window.dem for window in arrays]),
        _stacked([window.looks for window in arrays]),
    )


def _stacked(arrays: list[NDArray[_T] | None]) -> NDArray[_T] | None:
    present = [array for array in arrays if array is not None]
    return np.stack(present) if len(present) == len(arrays) else None


def check(contract: InputContract, available: Mapping[str, Collection[str]], *, model: str = "the model") -> None:
    """Raise BandsMissing when a cube with the `available` bands (by modality) cannot feed the model."""
    missing = []
    for need in contract.needs:
        offered = available.get(need.modality, ())
        if not offered and not need.required:
            continue
        missing += [f"{need.modality}/{band}" for band in need.bands if band not in offered]
    if missing:
        raise BandsMissing(
            f"{model} needs {', '.join(missing)}, which the cube lacks: rebuild the surface with these bands or choose another model."
        )
    if contract.any_of and not any(available.get(modality) for modality in contract.any_of):
        wanted = " or ".join(sorted(contract.any_of))
        raise BandsMissing(
            f"{model} needs at least one of {wanted}, and the cube has neither: rebuild the surface or choose another model."
        )


@dataclass(frozen=True, slots=True)
class Sight:
    """What a model can see of a window."""

    usable: NDArray[np.bool_]
    """(y, x), clear optics, or radar where the model sees through the cause."""
    demanded: NDArray[np.bool_]
    """(y, x), usable pixels that the model must answer: all, or those with clear optics when it may abstain."""


def sight_of(contract: InputContract, window: WindowArrays) -> Sight:
    """Find the pixels that the model can judge; what failed to be read or lies outside the region only when the contract says so."""
    clear = np.zeros(window.cause.shape, bool)
    if contract.bands(OPTICAL):
        clear = (window.cause == Cause.USABLE) & has_optics(window, contract.bands(OPTICAL))
    if window.s1 is None or not contract.bands(RADAR) or not contract.sees_through:
        return Sight(clear, clear)
    through = np.isin(window.cause, [int(Cause.USABLE), *(int(cause) for cause in contract.sees_through)])
    seen = clear | (through & np.isfinite(window.s1).all(axis=0))
    return Sight(seen, clear if contract.may_abstain else seen)


def has_optics(window: WindowArrays, bands: tuple[str, ...]) -> NDArray[np.bool_]:
    """Pixels (y, x) with a value in each of the Sentinel-2 bands; a catalog without one of the others blinds nobody."""
    if window.s2 is None:
        return np.zeros(window.cause.shape, bool)
    seen = np.ones(window.cause.shape, bool)
    for band in bands:
        seen &= window.s2[s2_index(band)] != S2_NODATA
    return seen
