"""A trained lake network as a model of the pipeline: windows of a cube in, logits to blend and their spread out."""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from catalog.facts.bands import DEM_NAME, S1_NAMES, S2_NAMES
from catalog.facts.cards import WeightsCard
from catalog.facts.causes import Cause
from models.segmenter.contract import ELEVATION, OPTICAL, RADAR, InputContract, ModalityNeed, Prediction, WindowBatch
from models.segmenter.normalise import DEM, S1, S2
from models.segmenter.passes import InferenceOptions, Passes, averaged, held_by
from models.segmenter.samples import Scenery, scenery_of

VERSION: Final = 1
"""Raised whenever the numbers change that the same weights give."""
MARGIN_PX: Final = 16
"""One token: those at the edge of a window have seen their surroundings on one side only."""
THROUGH: Final = frozenset({Cause.NO_SCENE, Cause.CLOUD, Cause.CLOUD_SHADOW, Cause.TERRAIN_SHADOW, Cause.SNOW_OR_ICE})
"""What radar sees through. Under snow or ice the network is shown the white pixels too, and has been trained on frozen lakes."""
BATCHES_ON_CPU, BATCHES_ON_GPU = 16, 128
"""Windows per call: a few passes, so that rare windows without one of the modalities fill passes of their own."""
_NEEDED = ("B03", "B08")
_NEEDS = {
    S2: ModalityNeed(OPTICAL, _NEEDED, "1e-4", required=False, helpful=tuple(band for band in S2_NAMES if band not in _NEEDED)),
    S1: ModalityNeed(RADAR, S1_NAMES, "dB", required=False),
    DEM: ModalityNeed(ELEVATION, (DEM_NAME,), "m", required=False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedBatch(WindowBatch):
    """Windows whose pixels are on the way to the device."""

    scenery: Scenery
    held: list[frozenset[str]]


class TrainedSegmenter:
    """The model; remembers nothing but how many windows fit the memory."""

    def __init__(
        self,
        network: nn.Module,
        card: WeightsCard,
        options: InferenceOptions | None = None,
        *,
        through: frozenset[Cause] = THROUGH,
    ) -> None:
        """Take a network with its weights, and how to run it; `through` are the causes that it may answer from radar."""
        self.card = card
        self.passes = Passes(network, options or InferenceOptions())
        self._through = through

    @property
    def name(self) -> str:
        """Name of the weights."""
        return self.card.name

    @property
    def version(self) -> str:
        """Version of the weights and of this code, and what changes the numbers: flips, and what is seen through.

        Device and number format are not part of it: they change how sums are rounded, and a year may be mapped on two machines.
        """
        version = f"{self.card.version}.{VERSION}" + ("" if len(self.passes.flips) > 1 else " without flips")
        return version if self._through == THROUGH else f"{version} through {sorted(int(cause) for cause in self._through)}"

    @property
    def sha256(self) -> str:
        """Hash of the weights."""
        return self.card.sha256

    @property
    def licence(self) -> str:
        """Licence of the weights."""
        return self.card.licence

    @property
    def contract(self) -> InputContract:
        """Optics or radar, better both with elevation; every usable pixel is answered, from radar alone where it must be.

        An answer from radar alone never makes a lake vanish: whether ground was observed is decided by `cause`.
        """
        window, stride, known = self.card.window_px, self.card.stride_px, self.card.network.modalities
        return InputContract(
            tuple(need for name, need in _NEEDS.items() if name in known),
            window,
            stride,
            min(MARGIN_PX, (window - stride) // 4),
            any_of=frozenset(_NEEDS[name].modality for name in (S2, S1) if name in known),
            batch_size=BATCHES_ON_CPU if self.passes.device.type == "cpu" else BATCHES_ON_GPU,
            devices=("cpu", "cuda"),
            sees_through=self._through if S1 in known else frozenset(),
            blends="logit",
            profile="hann",
            temperature=self.card.temperature,
            gives_spread=len(self.passes.flips) > 1,
        )

    def prepare(self, batch: WindowBatch) -> WindowBatch:
        """Send pixels to a GPU while it is at work on other windows; on a CPU there is nowhere to send them."""
        if self.passes.device.type == "cpu":
            return batch
        held = held_by(batch.s2, batch.s1, batch.dem, self.card.network.modalities)
        try:
            scenery = scenery_of(batch.s2, batch.s1, batch.dem, self.passes.device)
        except torch.OutOfMemoryError:
            # a whole batch does not fit beside the one at work: it goes over pass by pass, when it is its turn
            torch.cuda.empty_cache()
            return batch
        return PlacedBatch(batch.origins_yx, batch.cause, scenery=scenery, held=held)

    def predict(self, batch: WindowBatch) -> Prediction:
        """Mean logit (N, y, x) of the flips, and the standard deviation of their probabilities."""
        before = self.passes.seconds
        with torch.inference_mode():
            members = self._members(batch)
            logits, spread = averaged(members, self.card.temperature)
            answer = logits.cpu().numpy()
            doubt = spread.cpu().numpy() if len(members) > 1 else None
        return Prediction(answer, doubt, network_seconds=self.passes.seconds - before)

    def _members(self, batch: WindowBatch) -> Tensor:
        statistics, modalities = self.card.statistics, self.card.network.modalities
        if isinstance(batch, PlacedBatch):
            return self.passes.members(batch.scenery, statistics, modalities, batch.held)
        return self.passes.members_of((batch.s2, batch.s1, batch.dem), statistics, modalities)
