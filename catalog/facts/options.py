"""Every number that a user may change: one frozen record per stage, each default stated once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, Literal

from annotated_types import Ge, Interval

from catalog.facts.records import Target

DEFAULT_MODELS: Final[Mapping[Target, str]] = MappingProxyType({"lakes": "lakes-tiny", "slumps": "slumps-tiny"})
"""What maps each target unless the user names another model."""
_STRICT: dict[str, Any] = {"extra": "forbid", "use_attribute_docstrings": True}
"""The form of a deployment shows the texts under the fields, and refuses names and numbers that cannot be."""
Share = Annotated[float, Interval(ge=0.0, le=1.0)]
NotNegative = Annotated[float, Ge(0.0)]


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """Which scenes are considered and which are refused."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    max_scene_cloud_percent: Annotated[float, Interval(ge=0.0, le=100.0)] = 80.0
    """Cloud cover of the whole scene above which the catalog is not even asked."""
    max_tile_cloud_share: Share = 0.6
    """Cloud share over the tile above which a scene is refused."""
    max_tile_snow_share: Share = 0.9
    """Snow share over the tile above which a scene is refused."""
    max_scenes: Annotated[int, Ge(1)] = 20
    """Optical scenes per tile and year; the clearest are kept."""
    min_sun_elevation_deg: Annotated[float, Interval(ge=0.0, le=90.0)] = 10.0
    """Below this, shadows and haze outweigh what a scene adds; the shadow test makes use of the light above it."""
    refuse: tuple[str, ...] = ()
    """IDs of scenes that the operator refuses, for example because their file is broken for good; the store remembers them."""


@dataclass(frozen=True, slots=True)
class SurfaceOptions:
    """How scenes become one surface."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    cloud_jump_reflectance: Share = 0.08
    """Rise of blue over the pixel's clear-sky reference from which the second test says cloud (after MAJA, Hagolle 2010)."""
    water_vote_share: Share = 0.6
    """Share of a pixel's looks that must look like water before masks lose their veto there."""
    snow_ndsi: Annotated[float, Interval(ge=-1.0, le=1.0)] = 0.4
    """Hall et al. 1995."""
    snow_min_nir: Share = 0.11
    """Hall et al. 2002: water is darker."""
    shadow_range_m: NotNegative = 4480.0
    """How far terrain is searched for what may cast a shadow; two chips."""
    radar_border_px: Annotated[int, Ge(0)] = 3
    """Pixels eroded at the edge of radar scenes."""
    dem_gap_px: Annotated[int, Ge(0)] = 2
    """Widest gap of the elevation model that is filled, pixels of 30 m."""


@dataclass(frozen=True, slots=True)
class OutlineOptions:
    """What counts as a feature."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    threshold: Share = 0.5
    """Probability from which a pixel counts as inside."""
    min_area_m2: NotNegative = 5_000.0
    """Smaller features are kept with the flag `below_minimum_area`."""
    keep_area_m2: NotNegative = 1_000.0
    """Features smaller than this are dropped, after joining."""


@dataclass(frozen=True, slots=True)
class TrackOptions:
    """What makes a change an event."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    min_overlap: Share = 0.1
    """Overlap, as share of the smaller outline, from which two outlines are the same ground."""
    drain_share: Share = 0.5
    """Loss of area between two observed years, as share, from which a drainage is reported."""
    min_observed: Share = 0.8
    """Share of a footprint that must be observed before an absence counts."""
    absence_looks: Annotated[int, Ge(0)] = 2
    """Clear looks that a pixel needs before it speaks for an absence: one look may be haze or thin ice."""
    event_area_m2: NotNegative = 5_000.0
    """Features that stay smaller make no events: below fifty pixels an outline comes and goes with the noise."""
    dip_share: Share = 0.25
    """Drop below both neighbours in time, as share, from which a year is not comparable."""


TRACKING: Final[Mapping[Target, TrackOptions]] = MappingProxyType(
    {"lakes": TrackOptions(), "slumps": TrackOptions(min_overlap=0.3, event_area_m2=1_000.0)}
)
"""How each target is followed unless the user says otherwise. Of slumps two observations are the same ground from three tenths of the
smaller: neighbours on one slope touch, and on 1 554 outlines of Runge et al. 2022 that gives the fewest splits and merges."""


@dataclass(frozen=True, slots=True)
class SlumpOptions:
    """What counts as a thaw slump."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    threshold: Share | None = None
    """Score from which a merged detection is listed; None: what the model's card says."""
    keep_score: Share = 0.1
    """Merged detections below are dropped; those between here and the threshold count with their probability, and are not listed."""
    min_area_m2: NotNegative = 400.0
    """Smaller ones are dropped: four pixels of 10 m."""


@dataclass(frozen=True, slots=True)
class MapOptions:
    """All stages of the main road."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    search: SearchOptions = field(default_factory=SearchOptions)
    surface: SurfaceOptions = field(default_factory=SurfaceOptions)
    outline: OutlineOptions = field(default_factory=OutlineOptions)
    slumps: SlumpOptions = field(default_factory=SlumpOptions)
    track: TrackOptions | None = None
    """None: those of the target."""
    until: Literal["surface", "inventory"] = "inventory"
    """The last stage: `surface` leaves cubes from which training chips can be cut, and maps nothing."""

    def tracking(self, target: Target) -> TrackOptions:
        """How a target is followed through the years."""
        return self.track or TRACKING[target]
