import numpy as np
import pytest

from models.scores.mosaics import ChipPlaces, MosaicMaker, clusters_of

SIZE = 224


def names(*words):
    return np.array(words, object)


def test_chips_that_touch_are_one_cluster_and_others_are_not():
    places = ChipPlaces(np.array([[0, 0], [112, 0], [112, 112], [0, 700], [0, 224], [0, 0]]), names("a", "a", "a", "a", "a", "b"))
    cluster = clusters_of(places, SIZE)
    assert len({cluster[0], cluster[1], cluster[2], cluster[4]}) == 1
    assert len(set(cluster.tolist())) == 3


def test_chips_side_by_side_belong_together_and_a_gap_parts_them():
    assert len(set(clusters_of(ChipPlaces(np.array([[0, 0], [0, 224]]), names("a", "a")), SIZE).tolist())) == 1
    assert len(set(clusters_of(ChipPlaces(np.array([[0, 0], [224, 225]]), names("a", "a")), SIZE).tolist())) == 2


@pytest.mark.parametrize("reverse", [False, True])
def test_every_pixel_gets_the_weighted_mean_of_logits_of_its_chips(reverse):
    places = ChipPlaces(np.array([[-448, 2240], [-448, 2352]]), names("a", "a"))
    maker = MosaicMaker(places, SIZE)
    shape = (2, SIZE, SIZE)
    probability = np.stack([np.full(shape[1:], 0.5, np.float32), np.full(shape[1:], 0.9, np.float32)])
    label, cause, seen = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8), np.ones(shape, bool)
    label[0], label[1] = 255, 250
    made = []
    for chip in [1, 0] if reverse else [0, 1]:
        part = slice(chip, chip + 1)
        made += maker.add(np.array([chip]), (probability[part], np.zeros(shape, np.float32)[part]), (label[part], cause[part], seen[part]))
    (mosaic,) = made
    assert mosaic.origin_yx == (-448, 2240)
    assert mosaic.probability.shape == (SIZE, 336)
    assert mosaic.probability[100, 20] == pytest.approx(0.5)
    assert mosaic.probability[100, 300] == pytest.approx(0.9)
    # half-way between both middles they weigh alike: mean of the logits 0 and ln 9
    assert mosaic.probability[100, 167:169].mean() == pytest.approx(0.75, abs=0.01)
    assert mosaic.label[100, [20, 150, 300]].tolist() == [255, 250, 250]
    assert mosaic.owner[100, [0, 335]].tolist() == [0, 1]


def test_what_no_chip_answers_stays_open():
    maker = MosaicMaker(ChipPlaces(np.array([[0, 0]]), names("a")), SIZE)
    probability = np.full((1, SIZE, SIZE), np.nan, np.float32)
    probability[0, :10] = 0.3
    nothing = np.zeros((1, SIZE, SIZE), np.uint8)
    (mosaic,) = maker.add(np.array([0]), (probability, np.zeros_like(probability)), (nothing, nothing, nothing.astype(bool)))
    assert np.isnan(mosaic.probability[10:]).all()
    assert mosaic.probability[0, 0] == pytest.approx(0.3)


def test_each_chip_is_asked_for_once():
    maker = MosaicMaker(ChipPlaces(np.array([[0, 0], [900, 900], [112, 112]]), names("a", "a", "a")), SIZE)
    assert sorted(maker.order.tolist()) == [0, 1, 2]
    assert abs(maker.order.tolist().index(0) - maker.order.tolist().index(2)) == 1
