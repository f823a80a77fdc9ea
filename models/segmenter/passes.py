"""A network run over any number of windows, in passes of one size that fits the memory."""

import copy
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from catalog.facts.bands import S2_NODATA
from models.segmenter.devices import is_out_of_memory, too_small
from models.segmenter.normalise import DEM, S1, S2, NetworkInput, Statistics, standardise
from models.segmenter.samples import Scenery, scenery_of

FLIPS: Final[tuple[tuple[int, ...], ...]] = ((), (-1,), (-2,), (-2, -1))
"""Test-time views: as it is, mirrored left-right, top-bottom, and both (the four of CryoSentinel)."""
IMAGES_ON_CPU: Final = 4
"""Images per pass that stay in a core's cache; more are slower (benchmarks/bench_segmenter.py)."""
IMAGES_ON_GPU: Final = 64
NOTHING_SEEN: Final = -4.0
"""Logit where a window holds nothing that the network may look at: lakes cover about 2 % of the ground."""


HostArrays = tuple[NDArray[np.uint16] | None, NDArray[np.float32] | None, NDArray[np.float32] | None]
"""s2, s1 and dem of windows or chips as they are stored."""
SceneryAt = Callable[[list[int]], Scenery]
"""The windows at these places, on the device."""


@dataclass(frozen=True, slots=True)
class InferenceOptions:
    """How a network is run; none of it changes what is predicted, but for rounding and `flips`."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    device: str = "cpu"
    dtype: Literal["auto", "bfloat16", "float32"] = "auto"
    """`auto` is bfloat16 where the processor multiplies it, else float32."""
    flips: bool = True
    """Average over four mirror images; their disagreement is the spread."""
    images_per_pass: int | None = None
    """None: 4 on a CPU, 64 on a GPU; every flip is an image."""


class Passes:
    """A network on its device, in its number format; remembers how many images fit, and how long the network ran."""

    def __init__(self, network: nn.Module, options: InferenceOptions) -> None:
        """Copy the network, so that one in training stays as it is."""
        self.device = torch.device(options.device)
        self.dtype = _dtype(options, self.device)
        self.flips = FLIPS if options.flips else FLIPS[:1]
        self.images = options.images_per_pass or (IMAGES_ON_CPU if self.device.type == "cpu" else IMAGES_ON_GPU)
        self._network = _placed(network, self.device, self.dtype)
        self._seconds = 0.0
        self._laps: list[tuple[torch.cuda.Event, torch.cuda.Event]] = []

    @property
    def seconds(self) -> float:
        """Seconds that the network itself has run."""
        for start, stop in self._laps:
            stop.synchronize()
            self._seconds += start.elapsed_time(stop) / 1000
        self._laps.clear()
        return self._seconds

    @torch.inference_mode()
    def members(
        self, scenery: Scenery, statistics: Statistics, modalities: Collection[str], held: Sequence[frozenset[str]] | None = None
    ) -> Tensor:
        """Logits (flips, B, y, x) as float32, flips undone.

        Of the modalities asked for, one that a window lacks altogether is not given to the network for that window. `held`
        says which each window has; without it the device is asked, which waits for all that it is doing (see `held_by`).
        """
        held = _held(scenery, modalities) if held is None else held
        return self._grouped(lambda places: _at(scenery, torch.tensor(places, device=self.device)), scenery.s2.shape[-2:], statistics, held)

    @torch.inference_mode()
    def members_of(self, arrays: HostArrays, statistics: Statistics, modalities: Collection[str]) -> Tensor:
        """Logits as `members` gives them, from arrays of the host, which are moved and scaled pass by pass: what fits a cache."""
        s2, s1, dem = arrays
        held = held_by(s2, s1, dem, modalities)
        size = next(array for array in arrays if array is not None).shape[-2:]

        def at(places: list[int]) -> Scenery:
            parts = None if s2 is None else s2[places], None if s1 is None else s1[places], None if dem is None else dem[places]
            return scenery_of(*parts, self.device)

        return self._grouped(at, size, statistics, held)

    def _grouped(self, at: SceneryAt, size: Sequence[int], statistics: Statistics, held: Sequence[frozenset[str]]) -> Tensor:
        result = torch.full((len(self.flips), len(held), *size), NOTHING_SEEN, device=self.device)
        for shown in sorted(set(held), key=sorted):
            if shown:
                self._fill(result, [place for place, names in enumerate(held) if names == shown], at, statistics, shown)
        return result

    def _fill(self, result: Tensor, places: list[int], at: SceneryAt, statistics: Statistics, shown: frozenset[str]) -> None:
        """Predict the windows at `places`; each pass has the same shape, as sums of another shape may round otherwise."""
        start = 0
        while start < len(places):
            count = max(1, self.images // len(self.flips))
            some = places[start : start + count]
            try:
                logits = self._logits(standardise(at(some + some[-1:] * (count - len(some))), statistics, shown))
            except (MemoryError, RuntimeError) as error:
                self._halve(error)
            else:
                result[:, some] = logits[:, : len(some)]
                start += count

    def _logits(self, given: NetworkInput) -> Tensor:
        """All flips of all windows stacked to one batch: (flips, B, y, x)."""
        stacked = _stacked([given.flipped(dims) if dims else given for dims in self.flips], self.dtype)
        total = len(next(iter(stacked.images.values())))
        parts = [self._timed(_part(stacked, slice(start, start + self.images))) for start in range(0, total, self.images)]
        members = torch.cat(parts)[:, 0].float().chunk(len(self.flips))
        return torch.stack([member.flip(dims) if dims else member for member, dims in zip(members, self.flips, strict=True)])

    def _timed(self, given: NetworkInput) -> Tensor:
        if self.device.type == "cuda":
            # the host runs ahead of the device: only events on the device know how long it took
            start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
            start.record()
            logits: Tensor = self._network(given)
            stop.record()
            self._laps.append((start, stop))
            return logits
        started = time.perf_counter()
        logits = self._network(given)
        self._seconds += time.perf_counter() - started
        return logits

    def _halve(self, error: Exception) -> None:
        """Go on with half the images when memory ran out; anything else is an error, and so is one image that does not fit."""
        if not is_out_of_memory(error):
            raise error
        if self.images == 1:
            raise too_small(self.device) from error
        self.images = max(1, self.images // 2)
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


def held_by(
    s2: NDArray[np.uint16] | None, s1: NDArray[np.float32] | None, dem: NDArray[np.float32] | None, modalities: Collection[str]
) -> list[frozenset[str]]:
    """Which of the modalities each window holds at least one pixel of, from arrays of the host."""
    seen: dict[str, NDArray[np.bool_]] = {}
    if s2 is not None:
        seen[S2] = _any(s2 != S2_NODATA)
    if s1 is not None:
        seen[S1] = _any(np.logical_and.reduce(np.isfinite(s1), axis=1))
    if dem is not None:
        seen[DEM] = _any(np.isfinite(dem))
    present = {name: held for name, held in seen.items() if name in modalities}
    count = len(next(iter(seen.values())))
    return [frozenset(name for name, held in present.items() if held[place]) for place in range(count)]


def averaged(members: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Mean logit (B, y, x), and the standard deviation of the members' calibrated probabilities, 0..1; 0 of a single member."""
    if len(members) == 1:
        return members[0], torch.zeros_like(members[0])
    return members.mean(dim=0), torch.sigmoid(members / temperature).std(dim=0, correction=0)


def _dtype(options: InferenceOptions, device: torch.device) -> torch.dtype:
    if options.dtype == "auto":
        return torch.bfloat16 if _multiplies_bfloat16(device) else torch.float32
    return torch.bfloat16 if options.dtype == "bfloat16" else torch.float32


def _multiplies_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


def _placed(network: nn.Module, device: torch.device, dtype: torch.dtype) -> nn.Module:
    # convolutions are 7 % faster on channels-last weights (benchmarks/bench_segmenter.py)
    own: nn.Module = copy.deepcopy(network).to(device=device, dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return own.eval()


def _any(valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(np.logical_or.reduce(valid.reshape(len(valid), -1), axis=1))


def _held(scenery: Scenery, modalities: Collection[str]) -> list[frozenset[str]]:
    valid = {S2: scenery.s2_valid, S1: scenery.s1_valid, DEM: scenery.dem_valid}
    held = {name: valid[name].flatten(1).any(dim=1).tolist() for name in modalities}
    return [frozenset(name for name in held if held[name][place]) for place in range(len(scenery))]


def _at(scenery: Scenery, places: Tensor) -> Scenery:
    return Scenery(**{f.name: getattr(scenery, f.name)[places] for f in fields(Scenery)})


def _stacked(views: list[NetworkInput], dtype: torch.dtype) -> NetworkInput:
    """One batch of all views; what the network computes with is in its format, what indices and slopes come from stays exact."""
    optical, ground = [view.s2 for view in views if view.s2 is not None], [view.dem for view in views if view.dem is not None]
    return NetworkInput(
        {name: _joined([view.images[name].to(dtype) for view in views]) for name in views[0].images},
        {name: _joined([view.valid[name] for view in views]) for name in views[0].valid},
        _joined(optical) if optical else None,
        _joined(ground) if ground else None,
    )


def _joined(tensors: list[Tensor]) -> Tensor:
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors)


def _part(given: NetworkInput, places: slice) -> NetworkInput:
    return NetworkInput(
        {name: image[places] for name, image in given.images.items()},
        {name: valid[places] for name, valid in given.valid.items()},
        None if given.s2 is None else given.s2[places],
        None if given.dem is None else given.dem[places],
    )
