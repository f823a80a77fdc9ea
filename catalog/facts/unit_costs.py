"""What one unit of each kind of work takes on a machine: shipped figures, or figures fitted to work that was done there."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Final, Self

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
    look_s=0.03,
    tile_s=4.6,
    gb_s=10.3,
    outline_s=0.05,
    record_s=0.003,
    feature_s=0.08,
    ground_bytes_per_px=8.7,
    optical_bytes_per_px=19.5,
    models=MappingProxyType(
        {
            "indices": ModelCost(1120, 896, 0.48),
            "lakes-tiny": ModelCost(224, 192, 1.1),
            "slumps-tiny": ModelCost(112, 56, 0.31, only_observed=True),
        }
    ),
)
"""Two cores of an AMD EPYC, busy with other work, so that a plan for a quiet machine errs high (docs/scale.md)."""
