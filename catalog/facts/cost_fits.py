"""What units took to what one unit of each kind of work costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from catalog.facts.unit_costs import ModelCost, UnitCosts

_LARGE_TILES: Final = 3
"""So many tiles whose bytes cost more than the tile itself tell the two apart."""


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


def surface_costs(work: Sequence[Work], base: UnitCosts) -> tuple[float, float]:
    """Return CPU seconds per tile and per decoded gigabyte.

    On small ground the gigabytes of a tile cost less than the noise of what it costs once, and a fit of both, stretched to full tiles, would
    be off many times. So both figures of `base` are scaled by one factor there, how much slower the machine is than that of `base`.
    """
    if not work:
        return base.tile_s, base.gb_s
    if sum(one.amount * base.gb_s > base.tile_s for one in work) >= _LARGE_TILES:
        return fitted(work)
    slower = sum(one.seconds for one in work) / sum(base.tile_s + base.gb_s * one.amount for one in work)
    return slower * base.tile_s, slower * base.gb_s


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
    fixed, per_gb = surface_costs(measured.surfaces, base)
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
