"""Streaming gives the same bytes whatever the batches and tiles, and refuses to leave a usable pixel without a prediction."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from catalog.facts.causes import Cause
from catalog.facts.errors import GridMismatch, UnpredictedPixels
from catalog.facts.grids import CHIP_PX, Tile
from models.segmenter.contract import InputContract, ModalityNeed, Prediction, WindowArrays, WindowBatch
from models.segmenter.predict import Measures, TilePrediction, stream
from models.segmenter.windows import AXIS_UNITY, axis_weights

SIDE = 4 * CHIP_PX
TOP, LEFT = -3 * SIDE, 5 * SIDE
"""Global pixel of the world's upper left corner; the world is SIDE x SIDE and lies on tiles of 1, 2 and 4 chips."""


@dataclass(frozen=True)
class World:
    """A square of reflectance and causes; fill values around it."""

    green: NDArray[np.uint16]
    cause: NDArray[np.uint8]

    def read(self, origin_yx: tuple[int, int], size: int) -> WindowArrays:
        rows, columns = np.arange(size) + origin_yx[0] - TOP, np.arange(size) + origin_yx[1] - LEFT
        cause = np.full((size, size), Cause.OUTSIDE_REGION, np.uint8)
        s2 = np.zeros((12, size, size), np.uint16)
        inside = np.ix_((rows >= 0) & (rows < SIDE), (columns >= 0) & (columns < SIDE))
        source = np.ix_(rows[(rows >= 0) & (rows < SIDE)], columns[(columns >= 0) & (columns < SIDE)])
        cause[inside] = self.cause[source]
        s2[(slice(None), *inside)] = self.green[source]
        return WindowArrays(cause, s2)


@dataclass(frozen=True)
class Toy:
    """Probability from green and from the window's own mean, so that overlapping windows disagree."""

    window_px: int = 160
    stride_px: int = 96
    margin_px: int = 8
    broken: float | None = None
    name: str = "toy"
    version: str = "1"
    sha256: str = "none"
    licence: str = "CC0-1.0"

    @property
    def contract(self) -> InputContract:
        return InputContract((ModalityNeed("s2", ("B03",), "1e-4"),), self.window_px, self.stride_px, self.margin_px, gives_spread=True)

    def predict(self, batch: WindowBatch) -> Prediction:
        assert batch.s2 is not None
        green = batch.s2[:, 2].astype(np.float64) / 65535
        mean = green.mean(axis=(1, 2), keepdims=True)
        probability = ((green + mean) / 2).astype(np.float32)
        if self.broken is not None:
            probability[:, self.window_px // 2, self.window_px // 2] = self.broken
        return Prediction(probability, (green / 3).astype(np.float32))


def world(seed: int, *, holes: bool = True) -> World:
    rng = np.random.default_rng(seed)
    cause = np.zeros((SIDE, SIDE), np.uint8)
    if holes:
        cause[100:500, 200:620] = Cause.CLOUD
        cause[rng.random((SIDE, SIDE)) < 0.01] = Cause.SNOW_OR_ICE
    return World(rng.integers(1, 65535, (SIDE, SIDE)).astype(np.uint16), cause)


def tiles_of(chips: int) -> list[Tile]:
    first = Tile(32643, LEFT // (chips * CHIP_PX), -TOP // (chips * CHIP_PX) - 1, chips)
    count = 4 // chips
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


@given(st.integers(0, 5), st.sampled_from([1, 2, 4]), st.integers(1, 7), st.sampled_from([(160, 96, 8), (224, 192, 16), (300, 100, 0)]))
@settings(max_examples=12, deadline=None)
def test_same_bytes_for_any_tile_size_and_batch_size(seed: int, chips: int, batch: int, geometry: tuple[int, int, int]) -> None:
    one, toy = world(seed), Toy(*geometry)
    whole = list(stream(toy, tiles_of(4), one.read, batch_size=1))
    parts = list(stream(toy, tiles_of(chips), one.read, batch_size=batch))
    assert np.array_equal(mosaic(whole), mosaic(parts))
    assert np.array_equal(mosaic(whole, "spread"), mosaic(parts, "spread"))


@given(st.data())
@settings(max_examples=10, deadline=None)
def test_a_tile_is_the_same_whichever_others_are_wanted_in_whichever_order(data: st.DataObject) -> None:
    one = world(3)
    tiles = tiles_of(1)
    some = data.draw(st.permutations(tiles))[: data.draw(st.integers(1, 6))]
    everything = mosaic(list(stream(Toy(), tiles, one.read)))
    for prediction in stream(Toy(), some, one.read, batch_size=3):
        row, column = prediction.tile.origin_yx_px[0] - TOP, prediction.tile.origin_yx_px[1] - LEFT
        assert np.array_equal(prediction.probability, everything[row : row + CHIP_PX, column : column + CHIP_PX])


def test_nodata_exactly_where_the_cause_blinds_the_model() -> None:
    one = world(1)
    assert np.array_equal(mosaic(list(stream(Toy(), tiles_of(2), one.read))) == 255, one.cause != Cause.USABLE)


def test_a_constant_world_comes_out_constant() -> None:
    flat = World(np.full((SIDE, SIDE), 32768, np.uint16), np.zeros((SIDE, SIDE), np.uint8))

    @dataclass(frozen=True)
    class Half(Toy):
        def predict(self, batch: WindowBatch) -> Prediction:
            half = np.full(batch.cause.shape, 0.5, np.float32)
            return Prediction(half, half)

    assert (mosaic(list(stream(Half(), tiles_of(2), flat.read))) == 125).all()


def test_windows_without_a_usable_pixel_are_skipped_and_counted() -> None:
    blind = World(np.ones((SIDE, SIDE), np.uint16), np.full((SIDE, SIDE), Cause.CLOUD, np.uint8))
    measures = Measures()
    result = list(stream(Toy(broken=np.nan), tiles_of(2), blind.read, measures=measures))
    assert len(result) == 4
    assert (mosaic(result) == 255).all()
    assert measures.windows_predicted == 0
    assert measures.windows_skipped > 100


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.01, 1.01])
def test_a_prediction_that_is_no_probability_fails_the_run(value: float) -> None:
    with pytest.raises(UnpredictedPixels, match=r"The probability is .* at global pixel"):
        list(stream(Toy(broken=value), tiles_of(4), world(0, holes=False).read))


def test_a_broken_value_on_an_unusable_pixel_is_nobodys_business() -> None:
    one = world(0, holes=False)
    cause = one.cause.copy()
    cause[::2] = Cause.CLOUD
    rows = np.arange(SIDE) + TOP
    cause[(rows % 96) == (80 % 96)] = Cause.CLOUD
    assert mosaic(list(stream(Toy(broken=np.nan), tiles_of(4), World(one.green, cause).read))).min() < 255


def test_pixels_that_differ_between_windows_fail_the_run() -> None:
    one = world(0, holes=False)
    blinded = iter(range(10_000))

    def fickle(origin_yx: tuple[int, int], size: int) -> WindowArrays:
        arrays = one.read(origin_yx, size)
        return WindowArrays(np.full_like(arrays.cause, Cause.CLOUD), arrays.s2) if next(blinded) == 12 else arrays

    with pytest.raises(UnpredictedPixels, match="were not predicted by all their windows"):
        list(stream(Toy(), tiles_of(4), fickle))


def test_a_reader_that_gives_another_size_is_named() -> None:
    with pytest.raises(GridMismatch, match="cause of the window"):
        list(stream(Toy(), tiles_of(4), lambda origin, size: world(0).read(origin, size - 1)))


def test_an_error_in_the_reader_reaches_the_caller() -> None:
    def failing(origin_yx: tuple[int, int], size: int) -> WindowArrays:
        raise GridMismatch("no such shard")

    with pytest.raises(GridMismatch, match="no such shard"):
        list(stream(Toy(), tiles_of(4), failing))


def test_the_reader_runs_ahead_by_a_bounded_number_of_windows() -> None:
    one, read = world(0), []

    def counting(origin_yx: tuple[int, int], size: int) -> WindowArrays:
        read.append(origin_yx)
        return one.read(origin_yx, size)

    running = stream(Toy(), tiles_of(1), counting, batch_size=2)
    next(running)
    early = len(read)
    running.close()
    assert len(read) <= early + 2
    assert early < 40


def test_tiles_are_given_out_before_the_zone_is_read_further_south() -> None:
    one, deepest = world(0), [TOP]

    def noting(origin_yx: tuple[int, int], size: int) -> WindowArrays:
        deepest.append(origin_yx[0])
        return one.read(origin_yx, size)

    for prediction in stream(Toy(), tiles_of(1), noting):
        bottom = prediction.tile.origin_yx_px[0] + prediction.tile.size_px
        assert max(deepest) < bottom + CHIP_PX


@dataclass(frozen=True)
class Shy(Toy):
    """Answers nothing where green is low; may only do so through cloud."""

    @property
    def contract(self) -> InputContract:
        needs = (ModalityNeed("s2", ("B03",), "1e-4"), ModalityNeed("s1", ("VV", "VH"), "dB", required=False))
        return InputContract(
            needs, self.window_px, self.stride_px, sees_through=frozenset({Cause.CLOUD}), may_abstain=True, gives_spread=True
        )

    def predict(self, batch: WindowBatch) -> Prediction:
        assert batch.s2 is not None
        low = batch.s2[:, 2] < 20_000
        return Prediction(np.where(low, np.nan, 0.5).astype(np.float32), np.zeros(low.shape, np.float32))


def test_a_model_may_abstain_only_without_clear_optics() -> None:
    one = world(2)

    def with_radar(cause: NDArray[np.uint8]) -> Callable[[tuple[int, int], int], WindowArrays]:
        def read(origin_yx: tuple[int, int], size: int) -> WindowArrays:
            return replace(World(one.green, cause).read(origin_yx, size), s1=np.zeros((2, size, size), np.float32))

        return read

    low = one.green < 20_000
    clouds = np.where(low, Cause.CLOUD, Cause.USABLE).astype(np.uint8)
    result = mosaic(list(stream(Shy(), tiles_of(2), with_radar(clouds))))
    assert np.array_equal(result, np.where(low, 255, 125))
    with pytest.raises(UnpredictedPixels, match="is nan"):
        list(stream(Shy(), tiles_of(2), with_radar(np.zeros_like(clouds))))


def test_seconds_are_divided_into_waiting_computing_and_the_network() -> None:
    @dataclass(frozen=True)
    class Slow(Toy):
        def predict(self, batch: WindowBatch) -> Prediction:
            return replace(Toy.predict(self, batch), network_seconds=0.75)

    ticks = iter(range(100_000))
    measures = Measures(clock=lambda: float(next(ticks)))
    list(stream(Slow(), tiles_of(4), world(0).read, measures=measures))
    assert measures.windows_predicted > 50
    assert measures.seconds_waiting == measures.seconds_computing == measures.windows_predicted
    assert measures.waiting_share == pytest.approx(0.5)
    assert measures.outside_network_share == pytest.approx(1 - 0.75 / 2)


def test_a_stream_that_did_nothing_has_shares_of_nothing() -> None:
    assert Measures().waiting_share == Measures().outside_network_share == 0.0


def test_reading_and_the_caller_go_on_while_the_model_works() -> None:
    @dataclass(frozen=True)
    class Sleepy(Toy):
        def predict(self, batch: WindowBatch) -> Prediction:
            time.sleep(0.01)
            return Toy.predict(self, batch)

    def slow(origin_yx: tuple[int, int], size: int) -> WindowArrays:
        time.sleep(0.01)
        return world_read(origin_yx, size)

    world_read, measures = world(0).read, Measures()
    for _ in stream(Sleepy(), tiles_of(1), slow, measures=measures):
        time.sleep(0.02)
    assert measures.windows_predicted > 50
    assert measures.waiting_share < 0.4


@dataclass(frozen=True)
class Leaning(Toy):
    """Answers with logits that differ between windows."""

    temperature: float = 1.6

    @property
    def contract(self) -> InputContract:
        return InputContract(
            (ModalityNeed("s2", ("B03",), "1e-4"),),
            self.window_px,
            self.stride_px,
            self.margin_px,
            blends="logit",
            profile="hann",
            temperature=self.temperature,
        )

    def predict(self, batch: WindowBatch) -> Prediction:
        probability = Toy.predict(self, batch).answer
        return Prediction((8 * probability - 5).astype(np.float32))


@given(st.integers(0, 5), st.sampled_from([1, 2, 4]), st.integers(1, 7), st.sampled_from([(160, 96, 8), (224, 160, 16), (300, 100, 0)]))
@settings(max_examples=8, deadline=None)
def test_blended_logits_give_the_same_bytes_for_any_tile_size_and_batch_size(
    seed: int, chips: int, batch: int, geometry: tuple[int, int, int]
) -> None:
    one, model = world(seed), Leaning(*geometry)
    whole = list(stream(model, tiles_of(4), one.read, batch_size=1))
    parts = list(stream(model, tiles_of(chips), one.read, batch_size=batch))
    assert np.array_equal(mosaic(whole), mosaic(parts))
    assert np.array_equal(mosaic(whole) == 255, one.cause != Cause.USABLE)


def constant_logit(value: float, temperature: float) -> NDArray[np.uint8]:
    @dataclass(frozen=True)
    class Constant(Leaning):
        def predict(self, batch: WindowBatch) -> Prediction:
            return Prediction(np.full(batch.cause.shape, value, np.float32))

    return mosaic(list(stream(Constant(temperature=temperature), tiles_of(2), world(0, holes=False).read)))


@pytest.mark.parametrize(("value", "temperature"), [(0.0, 1.0), (1.5, 1.0), (1.5, 2.0), (-3.0, 0.7), (100.0, 1.0), (-1e30, 2.0)])
def test_the_temperature_is_applied_once_and_after_blending(value: float, temperature: float) -> None:
    wanted = round(250 / (1 + np.exp(-np.clip(value, -16, 16) / temperature)))
    assert (constant_logit(value, temperature) == wanted).all()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_logit_that_is_not_finite_fails_the_run(value: float) -> None:
    with pytest.raises(UnpredictedPixels, match=r"The logit is .* at global pixel"):
        constant_logit(value, 1.0)


def test_logits_are_averaged_not_probabilities() -> None:
    """Two windows that say -4 and +2 with equal weight are -1 together: 27 %, where the mean of 2 % and 88 % is 45 %."""

    @dataclass(frozen=True)
    class Parity(Leaning):
        def predict(self, batch: WindowBatch) -> Prediction:
            odd = (batch.origins_yx[:, 0] // self.stride_px) % 2 == 1
            return Prediction(np.broadcast_to(np.where(odd, 2, -4)[:, None, None], batch.cause.shape).astype(np.float32))

    stored = mosaic(list(stream(Parity(160, 80, 0, temperature=1.0), tiles_of(4), world(0, holes=False).read)))
    rows = np.arange(SIDE) + TOP
    weights = axis_weights(160, 80, 0, "hann").astype(float) / AXIS_UNITY
    odd = (rows // 80) % 2 == 1
    own, before = weights[rows % 80], weights[rows % 80 + 80]
    logits = np.where(odd, 2 * own - 4 * before, -4 * own + 2 * before)
    assert np.array_equal(stored, np.broadcast_to(np.rint(250 / (1 + np.exp(-logits)))[:, None], stored.shape))
    assert stored.min() < 10
    assert stored.max() > 200
