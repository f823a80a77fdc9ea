"""What one unit of each kind of work takes on a machine: shipped figures, or figures fitted to work that was done there."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, Self

import numpy as np

from catalog.facts.errors import WrongCall


@dataclass(frozen=True, slots=True)
class ModelCost:
    """What a model's windows take; which windows it looks at is its own affair, so that they are counted and not its pixels."""

    window_px: int
    stride_px: int
    cpu_s: float
    """CPU seconds per window, reading and writing included."""
    gpu_s: float | None = None
    """Seconds of a GPU per window; None where none was measured."""
    sha256: str = ""
    """Of its weights, where it was measured."""


@dataclass(frozen=True, slots=True)
class UnitCosts:
    """CPU seconds per unit of work; `wall_share` says how much longer a unit takes than its CPU seconds, disk and waiting included."""

    look_s: float
    """Per optical scene that is looked at over a tile."""
    tile_s: float
    """Per tile whose surface is built, whatever it shows: heights, shadows, writing."""
    gb_s: float
    """Per decoded gigabyte of a surface."""
    outline_s: float
    """Per tile that is outlined, or whose detections are merged."""
    record_s: float
    """Per tile for what is done once for a region-year: choice of scenes, features, inventory, records."""
    stored_bytes_per_px: float
    models: Mapping[str, ModelCost]
    wall_share: float = 1.0
    disk_mb_s: float | None = None
    """Bandwidth of the disk, where it was measured."""
    origin: str = "shipped with the program (docs/scale.md)"
    """Where the figures come from."""
    about: Mapping[str, str] = field(default_factory=dict)
    """Machine, load, versions, date."""

    def to_json(self) -> bytes:
        """Return the content of a calibration file."""
        return json.dumps(asdict(replace(self, models=dict(self.models), about=dict(self.about))), indent=1, sort_keys=True).encode()

    @classmethod
    def from_json(cls, content: bytes, where: str) -> Self:
        """Read a calibration file; raises WrongCall when it is none."""
        try:
            known: dict[str, Any] = json.loads(content)
            models = {name: ModelCost(**entry) for name, entry in known.pop("models").items()}
            return cls(**known, models=models)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise WrongCall(f"{where} is not a calibration ({error}): make it with `cryoatlas plan --calibrate`, or delete it.") from error


SHIPPED: Final = UnitCosts(
    look_s=0.02,
    tile_s=2.6,
    gb_s=5.8,
    outline_s=0.05,
    record_s=0.1,
    stored_bytes_per_px=27.0,
    models=MappingProxyType(
        {
            "indices": ModelCost(1120, 896, 0.48),
            "lakes-tiny": ModelCost(224, 192, 0.535),
            "slumps-tiny": ModelCost(112, 56, 0.313),
        }
    ),
)
"""Two cores of an AMD EPYC (docs/scale.md)."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a stage did: seconds of its units, and how much of what costs each of them held."""

    seconds: float
    amount: float
    """Decoded gigabytes, windows or scenes."""


def fitted(work: Sequence[Work]) -> tuple[float, float]:
    """Return seconds per unit and seconds per amount, neither below zero, that explain the work with the least squared error.

    Where all units hold about the same amount the two cannot be told apart, and everything is put on the amount.
    """
    amounts = np.array([one.amount for one in work])
    seconds = np.array([one.seconds for one in work])
    total = float(amounts.sum())
    if not len(work) or total <= 0:
        return (float(seconds.mean()) if len(work) else 0.0), 0.0
    through_zero = 0.0, float(seconds.sum()) / total
    spread = float(amounts.std())
    if len(work) < 3 or spread < 0.05 * float(amounts.mean()):
        return through_zero
    slope = float(((amounts - amounts.mean()) * (seconds - seconds.mean())).mean()) / spread**2
    fixed = float(seconds.mean()) - slope * float(amounts.mean())
    if slope <= 0:
        return float(seconds.mean()), 0.0
    return (fixed, slope) if fixed >= 0 else through_zero


@dataclass(frozen=True, slots=True)
class Measured:
    """What units of a store took, stage by stage, in CPU seconds."""

    looks: Sequence[Work]
    surfaces: Sequence[Work]
    """Amount: decoded gigabytes."""
    windows: Sequence[Work]
    """Amount: windows that the model saw."""
    outlines_s: float
    """Of all tiles together."""
    regions_s: float
    """Of what is done once for a region-year, all together."""
    tiles: int
    stored_bytes: int
    ground_px: int
    model: ModelCost | None
    model_name: str
    wall_share: float
    gpu_s: float | None = None
    """Of all windows; None without a GPU."""


def costs_of(measured: Measured, base: UnitCosts, *, origin: str, about: Mapping[str, str]) -> UnitCosts:
    """Return unit costs that explain what was measured; what was not measured keeps the figure of `base`."""
    tiles, count = max(measured.tiles, 1), sum(work.amount for work in measured.windows)
    fixed, per_gb = fitted(measured.surfaces) if measured.surfaces else (base.tile_s, base.gb_s)
    scenes = sum(work.amount for work in measured.looks)
    found = replace(
        base,
        look_s=sum(work.seconds for work in measured.looks) / scenes if scenes else base.look_s,
        tile_s=fixed,
        gb_s=per_gb,
        outline_s=measured.outlines_s / tiles if measured.tiles else base.outline_s,
        record_s=measured.regions_s / tiles if measured.tiles else base.record_s,
        stored_bytes_per_px=measured.stored_bytes / measured.ground_px if measured.ground_px else base.stored_bytes_per_px,
        wall_share=measured.wall_share,
        origin=origin,
        about=about,
    )
    if measured.model is None or not count:
        return found
    seconds = sum(work.seconds for work in measured.windows)
    model = replace(measured.model, cpu_s=seconds / count, gpu_s=None if measured.gpu_s is None else measured.gpu_s / count)
    return replace(found, models={**base.models, measured.model_name: model})
