"""A trained network in the pipeline: the same bytes whatever the batches and tiles, an answer wherever a sensor saw the ground."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from catalog.facts.cards import NetworkConfig, WeightsCard
from catalog.facts.causes import Cause
from catalog.facts.errors import BandsMissing
from catalog.facts.grids import CHIP_PX, Tile
from models.segmenter.contract import Segmenter, WindowArrays, check, stack
from models.segmenter.lakes import THROUGH, PlacedBatch, TrainedSegmenter
from models.segmenter.network import build
from models.segmenter.normalise import DEM, S1, S2, NetworkInput
from models.segmenter.passes import InferenceOptions, held_by
from models.segmenter.predict import Measures, TilePrediction, stream
from models.segmenter.samples import scenery_of

SIDE = 2 * CHIP_PX
TOP, LEFT = -4 * CHIP_PX, 6 * CHIP_PX
CARD = WeightsCard("toy", "3", "toy", "CC0-1.0", "nothing", "none", "ab" * 32, NetworkConfig(), temperature=1.4)
EXACT = InferenceOptions(dtype="float32")
ONCE = InferenceOptions(dtype="float32", flips=False)


class Small(nn.Module):
    """A lopsided convolution plus the mean of the window, so that neither flips nor the place of a window are without effect."""

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.of = nn.ModuleDict({name: nn.Conv2d(bands, 1, 5, padding=2) for name, bands in ((S2, 12), (S1, 2), (DEM, 1))})
        self.gain = gain

    def forward(self, given: NetworkInput) -> Tensor:
        logits = torch.stack([self.of[name](image) for name, image in given.images.items()]).sum(dim=0)
        return self.gain * (logits - logits.mean(dim=(1, 2, 3), keepdim=True) / 2)


@dataclass(frozen=True)
class World:
    """A square of ground with both sensors; fill values around it."""

    arrays: WindowArrays

    def read(self, origin_yx: tuple[int, int], size: int) -> WindowArrays:
        rows, columns = np.arange(size) + origin_yx[0] - TOP, np.arange(size) + origin_yx[1] - LEFT
        inside = np.ix_((rows >= 0) & (rows < SIDE), (columns >= 0) & (columns < SIDE))
        source = np.ix_(rows[(rows >= 0) & (rows < SIDE)], columns[(columns >= 0) & (columns < SIDE)])

        def window(array: NDArray[Any] | None, fill: float) -> Any:
            if array is None:
                return None
            result = np.full((*array.shape[:-2], size, size), fill, array.dtype)
            result[(..., *inside)] = array[(..., *source)]
            return result

        held = self.arrays
        return WindowArrays(
            window(held.cause, Cause.OUTSIDE_REGION), window(held.s2, 0), window(held.s1, np.nan), window(held.dem, np.nan), None
        )


def world(seed: int = 0) -> World:
    """Clouds over a corner, no radar on the right edge, and a part that neither sensor saw."""
    rng = np.random.default_rng(seed)
    cause = np.zeros((SIDE, SIDE), np.uint8)
    cause[:300, :260] = Cause.CLOUD
    cause[400:, 40:90] = Cause.READ_FAILED
    s2 = rng.integers(1, 6000, (12, SIDE, SIDE)).astype(np.uint16)
    s2[:, :300, :260] = 0
    s1 = rng.normal(-12, 4, (2, SIDE, SIDE)).astype(np.float32)
    s1[:, :, 400:] = np.nan
    s1[:, 10:30, 10:30] = np.nan
    return World(WindowArrays(cause, s2, s1, rng.normal(4000, 300, (SIDE, SIDE)).astype(np.float32)))


def tiles_of(chips: int) -> list[Tile]:
    first = Tile(32643, LEFT // (chips * CHIP_PX), -TOP // (chips * CHIP_PX) - 1, chips)
    count = 2 // chips
    tiles = [Tile(32643, first.column + dx, first.row - dy, chips) for dy in range(count) for dx in range(count)]
    assert tiles[0].origin_yx_px == (TOP, LEFT)
    return tiles


def mosaic(predictions: list[TilePrediction], what: str = "probability") -> NDArray[np.uint8]:
    result = np.zeros((SIDE, SIDE), np.uint8)
    for prediction in predictions:
        row, column = prediction.tile.origin_yx_px[0] - TOP, prediction.tile.origin_yx_px[1] - LEFT
        size = prediction.tile.size_px
        result[row : row + size, column : column + size] = getattr(prediction, what)
    return result


def mapped(model: Segmenter, chips: int = 2, batch: int | None = None, seen: World | None = None) -> list[TilePrediction]:
    return list(stream(model, tiles_of(chips), (seen or world()).read, batch_size=batch))


@pytest.fixture(scope="module")
def whole() -> list[TilePrediction]:
    """The world mapped in one tile."""
    return mapped(TrainedSegmenter(Small(), CARD, EXACT))


@pytest.mark.parametrize(("chips", "batch", "images"), [(1, None, 4), (2, 1, 4), (1, 5, 4), (2, 3, 8), (1, 2, 2)])
def test_same_bytes_for_any_tile_size_batch_size_and_pass(whole: list[TilePrediction], chips: int, batch: int | None, images: int) -> None:
    parts = mapped(TrainedSegmenter(Small(), CARD, replace(EXACT, images_per_pass=images)), chips, batch)
    assert np.array_equal(mosaic(whole), mosaic(parts))
    assert np.array_equal(mosaic(whole, "spread"), mosaic(parts, "spread"))
    assert np.ptp(mosaic(whole)[mosaic(whole) != 255]) > 100


@pytest.mark.parametrize("dtype", ["float32", pytest.param("bfloat16", marks=pytest.mark.slow)])
def test_the_lake_network_gives_the_same_bytes_for_any_batch_size(dtype: Any) -> None:
    torch.manual_seed(3)
    network = build(NetworkConfig())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    results = []
    for batch, images in ((1, 4), (9, 4), (5, 1)):
        model = TrainedSegmenter(network, CARD, InferenceOptions(dtype=dtype, flips=False, images_per_pass=images))
        results.append(mosaic(list(stream(model, tiles_of(1)[:1], world().read, batch_size=batch))))
    assert np.array_equal(results[0], results[1])
    # another size of pass, as when memory is short, may round otherwise on several cores
    assert np.abs(results[0].astype(int) - results[2]).max() <= (1 if dtype == "float32" else 4)
    assert np.ptp(results[0][results[0] != 255]) > 5


def test_every_pixel_that_a_sensor_saw_is_answered_and_no_other() -> None:
    stored, arrays = mosaic(mapped(TrainedSegmenter(Small(), CARD, ONCE))), world().arrays
    assert arrays.s1 is not None
    radar = np.isfinite(arrays.s1).all(axis=0) & (arrays.cause != Cause.READ_FAILED)
    assert np.array_equal(stored != 255, (arrays.cause == Cause.USABLE) | radar)


def test_without_radar_clouds_stay_clouds_and_without_optics_radar_answers() -> None:
    arrays, model = world().arrays, TrainedSegmenter(Small(), CARD, ONCE)
    optical = mosaic(mapped(model, seen=World(replace(arrays, s1=None))))
    assert np.array_equal(optical != 255, arrays.cause == Cause.USABLE)
    blind = replace(arrays, s2=None, cause=np.full_like(arrays.cause, Cause.NO_SCENE))
    radar = mosaic(mapped(model, seen=World(blind)))
    assert np.array_equal(radar != 255, np.isfinite(arrays.s1).all(axis=0))


def test_flips_give_a_spread_between_zero_and_one(whole: list[TilePrediction]) -> None:
    spread, once = mosaic(whole, "spread"), TrainedSegmenter(Small(), CARD, ONCE)
    assert 5 < spread[spread != 255].max() <= 125
    assert mapped(once)[0].spread is None
    assert TrainedSegmenter(Small(), CARD, EXACT).version != once.version


def test_a_sure_network_stays_within_what_the_cube_can_say() -> None:
    stored = mosaic(mapped(TrainedSegmenter(Small(gain=1e6), CARD, ONCE)))
    assert set(np.unique(stored)) >= {0, 250, 255}
    assert ((stored <= 250) | (stored == 255)).all()


def test_full_memory_changes_no_byte(whole: list[TilePrediction]) -> None:
    class Tight(Small):
        def forward(self, given: NetworkInput) -> Tensor:
            if len(next(iter(given.images.values()))) > 2:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().forward(given)

    tight = TrainedSegmenter(Tight(), CARD, replace(EXACT, images_per_pass=16))
    assert np.array_equal(mosaic(mapped(tight)), mosaic(whole))
    assert tight.passes.images == 2


def test_pixels_sent_ahead_to_a_device_give_the_same_answer() -> None:
    model, seen = TrainedSegmenter(Small(), CARD, EXACT), world()
    origins = [(TOP + 100 * step, LEFT + 90 * step) for step in range(-2, 4)]
    batch = stack([(origin, seen.read(origin, 224)) for origin in origins])
    modalities = CARD.network.modalities
    sent = PlacedBatch(
        batch.origins_yx,
        batch.cause,
        scenery=scenery_of(batch.s2, batch.s1, batch.dem, model.passes.device),
        held=held_by(batch.s2, batch.s1, batch.dem, modalities),
    )
    there, here = model.predict(sent), model.predict(batch)
    assert np.array_equal(there.answer, here.answer)
    assert there.spread is not None
    assert here.spread is not None
    assert np.array_equal(there.spread, here.spread)
    assert len(set(sent.held)) > 1


def test_what_is_seen_through_and_flips_are_part_of_the_version_but_device_and_format_are_not() -> None:
    plain = TrainedSegmenter(Small(), CARD)
    assert plain.version == TrainedSegmenter(Small(), CARD, InferenceOptions(dtype="float32", images_per_pass=1)).version
    wary = TrainedSegmenter(Small(), CARD, through=THROUGH - {Cause.SNOW_OR_ICE})
    assert wary.version != plain.version
    assert Cause.SNOW_OR_ICE in plain.contract.sees_through
    assert Cause.SNOW_OR_ICE not in wary.contract.sees_through


def test_the_model_tells_its_card_and_fits_the_protocol() -> None:
    model = TrainedSegmenter(Small(), CARD)
    assert isinstance(model, Segmenter)
    assert (model.name, model.sha256, model.licence) == ("toy", "ab" * 32, "CC0-1.0")
    assert (model.contract.window_px, model.contract.stride_px, model.contract.temperature) == (224, 192, 1.4)


def test_optics_or_radar_are_enough_and_one_of_them_is_needed() -> None:
    contract = TrainedSegmenter(Small(), CARD).contract
    check(contract, {"s1": ("VV", "VH")})
    check(contract, {"s2": ("B03", "B08")})
    with pytest.raises(BandsMissing, match="at least one of s1 or s2"):
        check(contract, {"dem": ("DEM",)})
    with pytest.raises(BandsMissing, match="s2/B08"):
        check(contract, {"s2": ("B03",), "s1": ("VV", "VH")})


def test_a_network_without_radar_sees_through_nothing() -> None:
    optical = replace(CARD, network=NetworkConfig(modalities=(S2, DEM)))
    contract = TrainedSegmenter(Small(), optical, ONCE).contract
    assert contract.sees_through == frozenset()
    assert contract.any_of == {"s2"}
    stored = mosaic(mapped(TrainedSegmenter(Small(), optical, ONCE)))
    assert np.array_equal(stored != 255, world().arrays.cause == Cause.USABLE)


def test_the_time_in_the_network_is_part_of_the_time_computing() -> None:
    measures = Measures()
    list(stream(TrainedSegmenter(Small(), CARD, ONCE), tiles_of(2), world().read, measures=measures))
    assert 0 < measures.seconds_in_network < measures.seconds_computing
    assert 0 < measures.waiting_share < measures.outside_network_share < 1
