"""What is asked of a bulletin, and what comes back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

Scope = Literal["lake", "tile", "region"]
RULE: Final = "rule"
"""The writer that needs no weights."""
DEFAULT_DESCRIBER: Final = "describe-tiny"


@dataclass(frozen=True, slots=True)
class BulletinRequest:
    """A bulletin that is wanted."""

    scope: Scope
    name: str
    """Name of the lake, ID of the tile, or name of the region."""
    year: int | None = None
    """None: the last year that was mapped."""
    region: str | None = None
    """Of a lake or a tile that several regions of the store hold; None: the only one, or the first."""
    model: str = DEFAULT_DESCRIBER
    """Weights of a describer, or `rule`."""
    surroundings: int = 3
    """Scenes around the largest lakes of a tile or a region that the describer looks at."""
    device: str | None = None
    cache: str = ""
    """Folder of weights that were fetched."""


@dataclass(frozen=True, slots=True)
class Teller:
    """Who was asked beside the rule."""

    name: str = ""
    """Empty when nobody was."""
    sha256: str = ""
    note: str = ""
    """Why nobody was asked, where somebody was wanted."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One question to a describer, and what became of its answer."""

    question: str
    said: str
    """Word for word."""
    printed: str
    """What of it is true; false claims are corrected or gone."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """One scene that a describer looked at."""

    name: str
    """The lake in its center."""
    bounds_wsen: tuple[float, float, float, float]
    replies: tuple[Reply, ...]
    added: tuple[str, ...]
    """Sentences that are true and that the rule does not say."""
    kept: int
    corrected: int
    dropped: int
    mask_iou: float
    """Of the mask that its description points at with the lakes of the inventory; NaN where neither shows any."""
    refused_because: str = ""
    """Why nothing of it is printed; empty where it is."""


@dataclass(frozen=True, slots=True)
class Bulletin:
    """What may be printed of a lake, a tile or a region in one year, and how it came about."""

    scope: Scope
    name: str
    region: str
    year: int
    text: str
    written_by: str
    """`rule`, or the name of the describer whose words are in it, too."""
    kept: int
    corrected: int
    dropped: int
    """Claims of the describer that were true, that were mended, and that were left out."""
    facts: Mapping[str, Any]
    """What the text rests on, as JSON."""
    surroundings: tuple[Surroundings, ...] = ()
    inventory: Mapping[str, Any] = field(default_factory=dict)
    """Provenance of the inventory: run, model, fingerprint, ..."""
    describer_sha256: str = ""
    note: str = ""
    """Why no describer was asked, where one was wanted."""

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return asdict(self)
