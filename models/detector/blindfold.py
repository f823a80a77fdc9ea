"""A network that is kept from looking at some of what it knows: how much a fused detector owes to each modality."""

from collections.abc import Mapping, Sequence
from typing import Literal, Self

import torch
from torch import Tensor, nn

from models.detector.network import SCORE_FLOOR, Found, SlumpNetwork


class Tape:
    """Auxiliaries of the windows of one batch, to be shown to other windows; copies of a network share it."""

    def __init__(self) -> None:
        """Start empty."""
        self.mode: Literal["record", "play"] = "record"
        self._images: list[dict[str, Tensor]] = []
        self._present: list[Tensor] = []
        self._place = 0

    def __deepcopy__(self, memo: Mapping[int, object]) -> Self:
        """Detectors copy their network; what is recorded through one copy is to be played through it."""
        return self

    def record(self) -> None:
        """Forget, and listen."""
        self.mode, self._images, self._present, self._place = "record", [], [], 0

    def play(self) -> None:
        """Give out what was recorded, from the middle on and round: windows half a batch apart share no ground."""
        self.mode, self._place = "play", len(self._present) // 2

    def add(self, images: Mapping[str, Tensor], present: Tensor) -> None:
        """Record the windows (N, ...) of one pass, one by one."""
        for place in range(len(present)):
            self._images.append({name: image[place].clone() for name, image in images.items()})
            self._present.append(present[place].clone())

    def next(self, count: int) -> tuple[dict[str, Tensor], Tensor]:
        """Auxiliaries of the next `count` windows."""
        places = [(self._place + step) % len(self._present) for step in range(count)]
        self._place += count
        images = {name: torch.stack([self._images[place][name] for place in places]) for name in self._images[0]}
        return images, torch.stack([self._present[place] for place in places])


class Blindfolded(SlumpNetwork):
    """A network whose auxiliaries are hidden, or replaced by those of other windows; it shares the tensors of the first."""

    def __init__(self, network: SlumpNetwork, hidden: Sequence[str] = (), tape: Tape | None = None) -> None:
        """Hide the auxiliaries of these names; with a tape, take all of them from it once it plays."""
        nn.Module.__init__(self)
        self.inner, self.config, self.frozen, self._tape = network, network.config, False, tape
        self._hidden = [place for place, name in enumerate(network.config.modalities[1:]) if name in hidden]

    def detect(self, images: Mapping[str, Tensor], present: Tensor | None = None, *, floor: float = SCORE_FLOOR) -> list[Found]:
        """Find slumps as the network does, looking at less."""
        first, *others = self.inner.config.modalities
        there = torch.ones((len(images[first]), len(others)), dtype=torch.bool) if present is None else present.clone()
        there[:, self._hidden] = False
        if self._tape is None or not others:
            return self.inner.detect(images, there, floor=floor)
        if self._tape.mode == "record":
            self._tape.add({name: images[name] for name in others}, there)
            return [_nothing(images[first]) for _ in range(len(there))]
        borrowed, there = self._tape.next(len(there))
        return self.inner.detect({first: images[first], **borrowed}, there, floor=floor)


def _nothing(image: Tensor) -> Found:
    return Found(image.new_zeros((0, 4)), image.new_zeros(0), image.new_zeros((0, 28, 28)))
