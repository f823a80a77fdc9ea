"""How good a detector is on windows that share no ground: what training watches, and what its card quotes."""

from collections.abc import Iterator

import torch

from catalog.facts.chips import CHIP_PX
from catalog.facts.detector_cards import DetectorStatistics
from models.detector.chip_ground import ChipGround
from models.detector.network import SlumpNetwork
from models.detector.samples import validation_windows
from models.detector.targets import TargetOptions
from models.scores.instances import Unit, coco_summary
from models.scores.window_instances import window_units

READ_AT_ONCE = 8


def judged(
    network: SlumpNetwork, ground: ChipGround, statistics: DetectorStatistics, options: TargetOptions, *, most: int = 0
) -> dict[str, float]:
    """AP, AP50, AP75, AR and the same by size of about `most` windows spread evenly over the ground, or of all for 0; NaN without slumps."""
    return coco_summary(list(_units(network, ground, statistics, options, most)))


def _units(network: SlumpNetwork, ground: ChipGround, statistics: DetectorStatistics, options: TargetOptions, most: int) -> Iterator[Unit]:
    config, device = network.config, next(network.parameters()).device
    places = ground.spread(-(-most // (CHIP_PX // config.window_px) ** 2))
    for start in range(0, len(places), READ_AT_ONCE):
        chips, slumps, origins = ground.read(places[start : start + READ_AT_ONCE])
        batch = validation_windows(chips, slumps, origins, config, statistics, options, device=device)
        with torch.inference_mode():
            found = network.detect(batch.images, batch.present)
        yield from window_units(found, batch.targets, up=config.up)
