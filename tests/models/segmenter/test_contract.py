"""A cube that cannot feed a model is refused with the missing bands; usable pixels follow causes and modalities."""

import numpy as np
import pytest

from catalog.facts.bands import S1_NAMES, S2_NAMES
from catalog.facts.causes import Cause
from catalog.facts.errors import BandsMissing, GridMismatch, UnknownModel
from models.segmenter.contract import InputContract, ModalityNeed, WindowArrays, check, sight_of
from models.segmenter.index_options import IndexOptions
from models.segmenter.indices import IndexModel
from models.segmenter.registry import MODELS, model_named

CONTRACT = InputContract(
    (ModalityNeed("s2", ("B03", "B08"), "1e-4"), ModalityNeed("s1", ("VV", "VH"), "dB", required=False)),
    window_px=64,
    stride_px=32,
    sees_through=frozenset({Cause.CLOUD}),
)


def test_missing_bands_are_named_with_the_way_out() -> None:
    with pytest.raises(BandsMissing, match=r"indices needs s2/B08, which.*rebuild"):
        check(IndexModel().contract, {"s2": ("B02", "B03", "B04")}, model="indices")


def test_a_cube_without_optics_and_radar_is_refused() -> None:
    with pytest.raises(BandsMissing, match="at least one of s1 or s2"):
        check(IndexModel().contract, {"dem": ("DEM",)}, model="indices")


@pytest.mark.parametrize("available", [{"s2": S2_NAMES}, {"s1": S1_NAMES}, {"s2": S2_NAMES, "s1": S1_NAMES, "dem": ("DEM",)}])
def test_indices_run_on_optics_or_radar_or_both(available: dict[str, tuple[str, ...]]) -> None:
    check(IndexModel().contract, available)


def test_an_optional_modality_that_is_there_must_be_whole() -> None:
    with pytest.raises(BandsMissing, match="s1/VH"):
        check(CONTRACT, {"s2": S2_NAMES, "s1": ("VV",)})


def test_windows_that_leave_gaps_are_refused() -> None:
    with pytest.raises(GridMismatch, match="stride of at most 48 px"):
        InputContract((), window_px=64, stride_px=50, margin_px=8)


def test_usable_is_clear_optics_or_radar_through_a_cause_the_model_sees_through() -> None:
    cause = np.array([[Cause.USABLE, Cause.CLOUD, Cause.READ_FAILED, Cause.USABLE]], np.uint8)
    s2 = np.ones((12, 1, 4), np.uint16)
    s2[2, 0, 3] = 0
    s1 = np.zeros((2, 1, 4), np.float32)
    assert sight_of(CONTRACT, WindowArrays(cause, s2)).usable.tolist() == [[True, False, False, False]]
    assert sight_of(CONTRACT, WindowArrays(cause, s2, s1)).usable.tolist() == [[True, True, False, True]]
    s1[1, 0, 1] = np.nan
    assert sight_of(CONTRACT, WindowArrays(cause, s2, s1)).usable.tolist() == [[True, False, False, True]]


def test_an_unknown_model_gets_the_nearest_right_name() -> None:
    with pytest.raises(UnknownModel, match="did you mean 'indices'"):
        model_named("indizes")


def test_every_model_has_a_card_and_answers_to_its_name() -> None:
    for name, card in MODELS.items():
        model = model_named(name)
        assert model.name == card.name == name
        assert model.licence == card.licence
        assert len(model.sha256) == 64


def test_the_hash_changes_with_the_options() -> None:
    assert IndexModel().sha256 == IndexModel().sha256
    assert IndexModel(IndexOptions(seed=0.9)).sha256 != IndexModel().sha256
