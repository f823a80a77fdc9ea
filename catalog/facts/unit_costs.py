"""What one unit of each kind of work takes on a machine: shipped figures, or figures fitted to work that was done there."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
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
    only_observed: bool = False
    """It passes over windows that show too little ground, so that it looks at about as large a share of them as is observed."""
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
    """Per tile of lakes that is outlined."""
    record_s: float
    """Per tile for the choice of its scenes."""
    feature_s: float
    """Per lake or slump for what is done once for a region-year: measured or merged, inventoried, counted."""
    ground_bytes_per_px: float
    """Stored for a mapped pixel, whatever it shows: heights, radar, causes, the model's answer."""
    optical_bytes_per_px: float
    """Stored besides for a pixel that was observed."""
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
            found = cls(**known, models=models)
            _check(found, *models.values())
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise WrongCall(f"{where} is not a calibration ({error}): make it with `cryoatlas plan --calibrate`, or delete it.") from error
        return found


def _check(*parts: UnitCosts | ModelCost) -> None:
    for part in parts:
        for name in (entry.name for entry in fields(part) if entry.type in (float, int)):
            value = getattr(part, name)
            if not (isinstance(value, int | float) and 0 <= value < math.inf):
                raise ValueError(f"{name} is {value!r}")


SHIPPED: Final = UnitCosts(
    look_s=0.02,
    tile_s=2.6,
    gb_s=5.8,
    outline_s=0.05,
    record_s=0.01,
    feature_s=0.1,
    ground_bytes_per_px=9.0,
    optical_bytes_per_px=18.0,
    models=MappingProxyType(
        {
            "indices": ModelCost(1120, 896, 0.48),
            "lakes-tiny": ModelCost(224, 192, 0.535),
            "slumps-tiny": ModelCost(112, 56, 0.313, only_observed=True),
        }
    ),
)
"""Two cores of an AMD EPYC (docs/scale.md)."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a unit, or several, took of what is paid for, and how much of what it is paid by."""

    seconds: float
    """Or bytes, where storage is what is paid for."""
    amount: float
    """Decoded gigabytes, windows, scenes, tiles, features, pixels."""


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
class ModelWork:
    """What one model did."""

    name: str
    cost: ModelCost
    """Its windows; what they cost is found."""
    windows: Sequence[Work]
    """Amount: windows that it saw on a CPU."""
    gpu: Sequence[Work] = ()
    """Seconds in which a GPU was at work, and the windows that were seen there."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What units of a store took, stage by stage, in CPU seconds."""

    looks: Sequence[Work] = ()
    """Amount: optical scenes."""
    surfaces: Sequence[Work] = ()
    """Amount: decoded gigabytes."""
    outlines: Sequence[Work] = ()
    """Amount: 1 per tile."""
    choices: Sequence[Work] = ()
    """Amount: tiles of a region-year."""
    features: Sequence[Work] = ()
    """Of region-years; amount: features."""
    models: Sequence[ModelWork] = ()
    ground: Sequence[Work] = ()
    """Of tiles: stored bytes that do not hang on what was observed, and mapped pixels."""
    observed: Sequence[Work] = ()
    """Of tiles: stored bytes of the optical composite, and observed pixels."""
    wall_share: float = 1.0


def costs_of(measured: Measured, base: UnitCosts, *, origin: str, about: Mapping[str, str]) -> UnitCosts:
    """Return unit costs that explain what was measured; what was not measured keeps the figure of `base`."""
    fixed, per_gb = fitted(measured.surfaces) if measured.surfaces else (base.tile_s, base.gb_s)
    return replace(
        base,
        look_s=per_amount(measured.looks, base.look_s),
        tile_s=fixed,
        gb_s=per_gb,
        outline_s=per_amount(measured.outlines, base.outline_s),
        record_s=per_amount(measured.choices, base.record_s),
        feature_s=per_amount(measured.features, base.feature_s),
        ground_bytes_per_px=per_amount(measured.ground, base.ground_bytes_per_px),
        optical_bytes_per_px=per_amount(measured.observed, base.optical_bytes_per_px),
        models={**base.models, **{work.name: _priced(work) for work in measured.models}},
        wall_share=measured.wall_share,
        origin=origin,
        about=about,
    )


def per_amount(work: Sequence[Work], otherwise: float) -> float:
    """Return what one of an amount took; `otherwise` where there was none."""
    amount = sum(one.amount for one in work)
    return sum(one.seconds for one in work) / amount if amount else otherwise


def _priced(work: ModelWork) -> ModelCost:
    on_gpu = per_amount(work.gpu, 0.0)
    return replace(work.cost, cpu_s=per_amount(work.windows, work.cost.cpu_s), gpu_s=on_gpu or work.cost.gpu_s)
