"""Whether the device that was asked for is here, before any pixel is read."""

from catalog.facts.devices import candidates
from models.segmenter.devices import visible_gpus


def check_device(asked: str) -> None:
    """Raise WrongCall for a device that is not here; what is always here is not looked for, because that takes seconds."""
    if asked not in ("auto", "cpu"):
        candidates(asked, visible_gpus())
