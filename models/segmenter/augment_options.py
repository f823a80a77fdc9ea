"""How much training chips are changed, per recipe."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Final

from catalog.facts.errors import RecipeWrong

_STRICT: Final[dict[str, Any]] = {"extra": "forbid"}


def _require_shares(options: object, names: tuple[str, ...]) -> None:
    for name in names:
        value = getattr(options, name)
        if not 0 <= value <= 1:
            raise RecipeWrong(f"Option {name} of the augmentation is {value:g}: choose a value from 0 to 1.")


def _require_not_negative(options: object, names: tuple[str, ...]) -> None:
    for name in names:
        value = getattr(options, name)
        if not 0 <= value < float("inf"):
            raise RecipeWrong(f"Option {name} of the augmentation is {value:g}: choose 0 or more.")


@dataclass(frozen=True, slots=True)
class ValueOptions:
    """Changes of what sensors measure, in physical units."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    probability: float = 0.4
    """Of each sensor and each chip."""
    gain: float = 0.03
    """Reflectance of each band is multiplied by 1 +- this at most."""
    brightness: float = 0.05
    """Reflectance of all bands together, likewise."""
    haze: float = 0.01
    """Largest reflectance that haze adds to the blue band; less towards the infrared."""
    missing_bands: float = 0.0
    """Chance that a chip loses groups of bands, as catalogs with four bands do."""
    radar_gain_db: float = 0.5
    """Largest offset of each polarization."""
    speckle_looks: float = 12.0
    """Fewest looks of the speckle that is added; 0 for none."""
    dem_offset_m: float = 100.0
    """Largest offset of a chip's heights."""
    dem_noise_m: float = 0.5
    """Standard deviation of noise on single heights."""

    def __post_init__(self) -> None:
        """Raise RecipeWrong for a value out of its range."""
        _require_shares(self, ("probability", "gain", "brightness", "missing_bands"))
        _require_not_negative(self, ("haze", "radar_gain_db", "speckle_looks", "dem_offset_m", "dem_noise_m"))


@dataclass(frozen=True, slots=True)
class PlaceOptions:
    """Changes of where things are."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    flip: float = 0.5
    """Chance of a mirroring, for each axis."""
    quarter_turns: float = 0.5
    """Chance of a turn by 90, 180 or 270 degrees."""
    scale: float = 0.4
    """Chance of another scale."""
    scale_low: float = 0.8
    scale_high: float = 1.2
    paste: float = 0.2
    """Chance that a chip gets the lakes of another one."""
    mosaic: float = 0.0
    """Chance that a chip is put together of four."""
    mosaic_jitter: float = 0.2
    """How far off the middle the four meet, as a share of the side."""
    s2_holes: float = 0.1
    """Chance of gaps as clouds leave them."""
    s1_holes: float = 0.1
    """Chance that the radar covers a part only."""

    def __post_init__(self) -> None:
        """Raise RecipeWrong for a value out of its range."""
        _require_shares(self, ("flip", "quarter_turns", "scale", "paste", "mosaic", "s2_holes", "s1_holes"))
        if not 0 < self.scale_low <= self.scale_high:
            raise RecipeWrong(f"Scales from {self.scale_low:g} to {self.scale_high:g} are no range: choose 0 < scale_low <= scale_high.")
        if not 0 <= self.mosaic_jitter < 0.5:
            raise RecipeWrong(f"Option mosaic_jitter is {self.mosaic_jitter:g}: choose 0 to below 0.5.")


@dataclass(frozen=True, slots=True)
class ModalityOptions:
    """Chances that a step shows only some modalities; the rest of the chance shows all.

    No step shows nothing, and none shows heights alone: a lake cannot be told from any other flat ground by them.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    without_s2: float = 0.15
    without_s1: float = 0.15
    without_dem: float = 0.05
    only_s2: float = 0.1
    only_s1: float = 0.05

    def __post_init__(self) -> None:
        """Raise RecipeWrong for chances that are none."""
        _require_shares(self, tuple(f.name for f in fields(self)))
        total = sum(float(getattr(self, f.name)) for f in fields(self))
        if total > 1:
            raise RecipeWrong(f"Chances of leaving modalities out add up to {total:g}: lower them to 1 or less.")


@dataclass(frozen=True, slots=True)
class AugmentOptions:
    """All changes of training chips."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    values: ValueOptions = field(default_factory=ValueOptions)
    places: PlaceOptions = field(default_factory=PlaceOptions)
    modalities: ModalityOptions = field(default_factory=ModalityOptions)


FINETUNE: Final = AugmentOptions()
PRETRAIN: Final = AugmentOptions(
    ValueOptions(probability=0.5, gain=0.05, brightness=0.08, haze=0.015, radar_gain_db=0.8, speckle_looks=8.0, dem_offset_m=200.0),
    PlaceOptions(scale=0.5, scale_low=0.75, scale_high=1.25, paste=0.3, mosaic=0.15),
)
REGION: Final = AugmentOptions(
    ValueOptions(probability=0.3, gain=0.02, brightness=0.03, radar_gain_db=0.4, speckle_looks=16.0, dem_offset_m=50.0),
    PlaceOptions(scale=0.3, scale_low=0.85, scale_high=1.15, paste=0.15),
)
DOMAIN_RANDOMISED: Final = AugmentOptions(
    ValueOptions(
        probability=0.8, gain=0.15, brightness=0.25, haze=0.05, radar_gain_db=2.0, speckle_looks=4.0, dem_offset_m=1500.0, dem_noise_m=2.0
    ),
    PlaceOptions(scale=0.6, scale_low=0.6, scale_high=1.6, paste=0.25, mosaic=0.15, s2_holes=0.25, s1_holes=0.2),
    ModalityOptions(without_s2=0.2, without_s1=0.2, without_dem=0.05, only_s2=0.1, only_s1=0.05),
)
PRESETS: Final[Mapping[str, AugmentOptions]] = {
    "pretrain": PRETRAIN,
    "finetune": FINETUNE,
    "region": REGION,
    "domain-randomised": DOMAIN_RANDOMISED,
}
"""Chances and ranges of the published stages where they have one; gains and offsets are of physical values, not of z-scores."""
