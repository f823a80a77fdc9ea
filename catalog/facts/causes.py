"""Why a pixel of the surface cube is unusable, and the states of a unit of work."""

from enum import IntEnum, StrEnum


class Cause(IntEnum):
    """Codes of the cube's `cause` array (design: the cube)."""

    USABLE = 0
    NO_SCENE = 1
    CLOUD = 2
    CLOUD_SHADOW = 3
    TERRAIN_SHADOW = 4
    SNOW_OR_ICE = 5
    READ_FAILED = 6
    OUTSIDE_REGION = 7


class State(StrEnum):
    """State of one (region, year, tile, stage) in the ledger."""

    DONE = "done"
    EMPTY = "empty"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNOBSERVED = "unobserved"


COMPLETE_STATES = frozenset({State.DONE, State.EMPTY, State.SKIPPED, State.UNOBSERVED})
"""States that need no further work; a failed unit does."""


class Refusal(StrEnum):
    """Why a scene was not used for a tile and year."""

    CLOUD = "cloud over the tile"
    SNOW = "snow over the tile"
    DUPLICATE = "duplicate acquisition"
    OLDER_BASELINE = "older baseline"
    NO_OVERLAP = "no overlap"
    OUT_OF_SEASON = "out of season"
    OTHER_ORBIT = "other orbit direction"
    NOT_TERRAIN_CORRECTED = "not terrain corrected"
    LOW_SUN = "sun too low"
    SURPLUS = "enough clearer scenes"
    SUSPECT_OFFSET = "radiometric offset contradicts the pixels"
    BY_OPERATOR = "refused by the operator"
    BANDS_MISSING = "bands missing"
