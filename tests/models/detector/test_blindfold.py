from collections.abc import Mapping

import torch
from torch import Tensor

from catalog.facts.detector_cards import DetectorConfig
from models.detector.blindfold import Blindfolded, Tape
from models.detector.network import Found, SlumpNetwork


class Listener(SlumpNetwork):
    """Keeps what it is shown."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)
        self.config, self.frozen = DetectorConfig(modalities=("rgb", "ndvi", "nir")), False
        self.shown: list[tuple[dict[str, Tensor], Tensor | None]] = []

    def detect(self, images: Mapping[str, Tensor], present: Tensor | None = None, *, floor: float = 0.02) -> list[Found]:
        self.shown.append((dict(images), present))
        return [Found(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, 28, 28)) for _ in images["rgb"]]


def images(count: int) -> dict[str, Tensor]:
    """Every window and modality has a number of its own."""
    numbers = torch.arange(count, dtype=torch.float32)[:, None, None, None]
    return {
        name: (numbers + 100 * place).expand(count, 3 if name == "rgb" else 1, 4, 4) for place, name in enumerate(("rgb", "ndvi", "nir"))
    }


def test_a_hidden_auxiliary_is_absent_and_the_other_stays():
    listener = Listener()
    given = torch.tensor([[True, True], [True, False]])
    Blindfolded(listener, ("ndvi",)).detect(images(2), given)
    assert listener.shown[0][1].tolist() == [[False, True], [False, False]]
    assert given.tolist() == [[True, True], [True, False]]
    Blindfolded(listener, ("nir",)).detect(images(1))
    assert listener.shown[1][1].tolist() == [[True, False]]


def test_shuffled_auxiliaries_are_those_of_windows_half_a_batch_away():
    listener, tape = Listener(), Tape()
    network = Blindfolded(listener, tape=tape)
    batch = images(4)
    given = torch.tensor([[True, True], [True, False], [True, True], [False, True]])
    tape.record()
    for place in range(4):
        found = network.detect({name: image[place : place + 1] for name, image in batch.items()}, given[place : place + 1])
        assert len(found) == 1
    assert not listener.shown
    tape.play()
    for place in range(4):
        network.detect({name: image[place : place + 1] for name, image in batch.items()}, given[place : place + 1])
    seen = [{name: float(image[0, 0, 0, 0]) for name, image in shown.items()} for shown, _ in listener.shown]
    assert seen == [{"rgb": float(place), "ndvi": 100.0 + other, "nir": 200.0 + other} for place, other in enumerate((2, 3, 0, 1))]
    assert [present.tolist() for _, present in listener.shown] == [[given[other].tolist()] for other in (2, 3, 0, 1)]


def test_nothing_of_an_earlier_batch_is_played():
    listener, tape = Listener(), Tape()
    network = Blindfolded(listener, tape=tape)
    for count in (3, 2):
        tape.record()
        network.detect(images(count))
        tape.play()
        network.detect(images(count))
    assert listener.shown[-1][0]["nir"][:, 0, 0, 0].tolist() == [201.0, 200.0]
