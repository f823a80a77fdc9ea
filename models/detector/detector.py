"""A trained network of slumps as a detector of the pipeline: windows of a cube in, instances out."""

import copy
from typing import Final

import numpy as np
import torch
from torch import Tensor

from catalog.facts.bands import DEM_NAME
from catalog.facts.causes import Cause
from catalog.facts.detector_cards import NDVI, NIR, RGB, TOPO, DetectorCard, kind_of
from models.detector.contract import DetectorContract, WindowInstances
from models.detector.modalities import HALO_PX, crop, images_of, standardise
from models.detector.network import Found, SlumpNetwork
from models.detector.open_water import open_water
from models.segmenter.contract import ELEVATION, OPTICAL, ModalityNeed, WindowBatch
from models.segmenter.devices import is_out_of_memory, too_small

VERSION: Final = 2
"""Raised whenever the numbers change that the same weights give."""
BATCHES_ON_CPU, BATCHES_ON_GPU = 4, 64
"""Windows per call."""
PASS_ON_CPU, PASS_ON_GPU = 1, 16
"""Windows that the network sees at once. How many boxes its heads are given depends on all of them, and sums of another shape may
round otherwise: one at a time, a window's answer depends on the window alone. On a GPU the last digits are given for speed."""
_BANDS: Final = {RGB: ("B02", "B03", "B04"), NDVI: ("B04", "B08"), NIR: ("B08",)}


class TrainedDetector:
    """The detector; remembers nothing between calls but how many windows fit the memory."""

    def __init__(self, network: SlumpNetwork, card: DetectorCard, device: str = "cpu") -> None:
        """Copy the network, so that one in training stays as it is."""
        self._card = card
        self._device = torch.device(device)
        self._network = copy.deepcopy(network).to(self._device).eval()
        self.windows_per_pass = PASS_ON_CPU if self._device.type == "cpu" else PASS_ON_GPU

    @property
    def name(self) -> str:
        """Name of the weights."""
        return self._card.name

    @property
    def version(self) -> str:
        """Version of the weights and of this code."""
        return f"{self._card.version}.{VERSION}"

    @property
    def sha256(self) -> str:
        """Hash of the weights."""
        return self._card.sha256

    @property
    def licence(self) -> str:
        """Licence of the weights."""
        return self._card.licence

    @property
    def card(self) -> DetectorCard:
        """What the weights came with."""
        return self._card

    @property
    def contract(self) -> DetectorContract:
        """The optical bands of its modalities, and elevation where it looks at terrain, without which it runs all the same."""
        network = self._card.network
        kinds = [kind_of(name) for name in network.modalities]
        bands = tuple(sorted({band for kind in kinds for band in _BANDS.get(kind, ())}))
        terrain = TOPO in kinds
        needs = (ModalityNeed(OPTICAL, bands, "1e-4"), *((ModalityNeed(ELEVATION, (DEM_NAME,), "m", required=False),) if terrain else ()))
        batch = BATCHES_ON_CPU if self._device.type == "cpu" else BATCHES_ON_GPU
        return DetectorContract(needs, network.window_px, self._card.stride_px, HALO_PX if terrain else 0, network.up, batch)

    @torch.inference_mode()
    def predict(self, batch: WindowBatch) -> list[WindowInstances]:
        """Find slumps in every window of (window + 2 halo) pixels; what is not usable, open water or outside the region is not looked at."""
        found: list[WindowInstances] = []
        while len(found) < len(batch):
            # the last window again, so that every pass has one shape
            places = [min(len(found) + step, len(batch) - 1) for step in range(self.windows_per_pass)]
            try:
                answers = self._network.detect(*self._seen(batch, places))
            except (MemoryError, RuntimeError) as error:
                self._halve(error)
            else:
                found += [self._instances(answer) for answer in answers[: len(batch) - len(found)]]
        return found

    def _halve(self, error: Exception) -> None:
        """Go on with half the windows per pass when memory ran out; anything else is an error, and so is one window that does not fit."""
        if not is_out_of_memory(error):
            raise error
        if self.windows_per_pass == 1:
            raise too_small(self._device) from error
        self.windows_per_pass //= 2
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _seen(self, batch: WindowBatch, places: list[int]) -> tuple[dict[str, Tensor], Tensor]:
        assert batch.s2 is not None
        cause, dem = batch.cause[places], None
        shown = (cause == Cause.USABLE) & ~open_water(batch.s2[places])
        counts = np.where(shown[:, None], batch.s2[places], 0).astype(np.float32)
        if batch.dem is not None:
            # beyond the region a cube may or may not hold heights, by the size of its tiles
            ground = np.where(cause == Cause.OUTSIDE_REGION, np.float32(np.nan), batch.dem[places])
            dem = torch.from_numpy(ground).to(self._device)
        halo = self.contract.halo_px
        images, valid = images_of(torch.from_numpy(counts).to(self._device), dem, self._card.network.modalities)
        return standardise(crop(images, halo), crop(valid, halo), self._card.statistics)

    def _instances(self, found: Found) -> WindowInstances:
        kept = found.scores >= self._card.score_floor
        arrays = (part[kept].float().cpu().numpy() for part in (found.boxes, found.scores, found.masks))
        return WindowInstances(*arrays)
