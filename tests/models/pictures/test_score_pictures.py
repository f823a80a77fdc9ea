import io
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from models.pictures.chip_panels import Caption, ChipImage, four_panels
from models.pictures.score_page import Facts, Plots, score_page
from models.pictures.score_plots import areas_plot, bars_plot, dots_plot, reliability_plot, subsets_plot, sweep_plot
from models.scores.chip_pixels import BINS, THRESHOLDS
from models.scores.lines import Scored
from models.scores.scorecard import Metric


def scored(model="lakes-tiny", split="test", subset="all"):
    figures = [Metric(f"threshold {t:.2f}", "iou", "1", 0.8 - abs(t - 0.5) / 2, 0.7, 0.9, 12, 40) for t in THRESHOLDS]
    for group in ("all", "size 0.1-0.5 ha", "size >10 ha", "class turbid", "hard shadowed", "hard any"):
        figures += [Metric(group, name, "1", 0.75, 0.6, 0.9, 12, 20) for name in ("object_recall", "object_precision", "object_f1", "ece")]
    figures += [Metric("region <r>", "iou", "1", 0.7, float("nan"), float("nan"), 1, 9), Metric("wet", "iou", "1", 0.0, 0.0, 0.0, 12, 20)]
    bins = np.stack([np.full(BINS, 100.0), 100 * (np.arange(BINS) + 0.5) / BINS, 90 * (np.arange(BINS) + 0.5) / BINS], axis=-1)
    return Scored(model, split, subset, tuple(figures), bins)


def words_of(svg):
    assert ElementTree.fromstring(svg).tag.endswith("svg")  # noqa: S314 - made here
    return svg.decode()


@pytest.fixture(scope="module")
def pair():
    return [scored(), scored("indices")]


def test_every_plot_is_an_svg_that_is_the_same_every_time(pair):
    area = np.array([1e4, 5e4, 2e5])
    plots = (
        lambda: sweep_plot([*pair, scored(split="val")], "test", 0.55),
        lambda: reliability_plot(pair),
        lambda: bars_plot(pair, "size ", [("object_recall", "recall"), ("object_f1", "F1")]),
        lambda: dots_plot(pair, ("class ", "hard "), "object_recall", "recall (1)"),
        lambda: subsets_plot([scored(), scored(subset="S1")], [("wet", "iou", "IoU")]),
        lambda: areas_plot(area, 1.1 * area, 0.9 * area, 1.05 * area),
    )
    for plot in plots:
        words_of(plot())
        assert plot() == plot()


def image():
    s2 = np.full((12, 224, 224), 1500, np.uint16)
    label = np.zeros((224, 224), np.uint8)
    label[50:100, 50:100] = 250
    label[48:50, 50:100] = 255
    predicted = np.zeros((224, 224), bool)
    predicted[120:160, 120:160] = True
    return ChipImage(s2, np.full((2, 224, 224), -12, np.float32), label, predicted)


def pixels_of(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def test_swapped_panels_differ_in_nothing_but_the_order_of_the_masks():
    plain, swapped = (pixels_of(four_panels(image(), Caption(("A", "B"), swap))) for swap in (False, True))
    third, fourth = slice(12 + 2 * 272, 12 + 2 * 272 + 260), slice(12 + 3 * 272, 12 + 3 * 272 + 260)
    rows = slice(30, 290)
    assert (plain[:, : 2 * 272] == swapped[:, : 2 * 272]).all()
    assert (plain[rows, third] == swapped[rows, fourth]).all()
    assert (plain[rows, fourth] == swapped[rows, third]).all()
    assert (plain[rows, third] != plain[rows, fourth]).any()


def test_an_ignore_band_does_not_betray_the_label():
    picture = pixels_of(four_panels(image()))
    grey = (picture == 190).all(axis=-1)
    third, fourth = grey[30:290, 12 + 2 * 272 : 12 + 2 * 272 + 260], grey[30:290, 12 + 3 * 272 : 12 + 3 * 272 + 260]
    assert third.sum() > 50
    assert (third == fourth).all()


def test_radar_stands_in_for_missing_optics():
    dark = image()
    without = ChipImage(np.zeros_like(dark.s2), dark.s1, dark.label, dark.predicted)
    assert (pixels_of(four_panels(dark)) != pixels_of(four_panels(without))).any()


def test_the_page_escapes_names_and_says_when_there_is_no_interval(pair):
    facts = Facts("Lakes: <x>", "test", [{"model": "<m>"}], [{"chips": "a&b"}], "blocks", 3, None)
    plot = sweep_plot(pair, "test", None)
    page = score_page(facts, pair, Plots(plot, plot, plot, [plot], plot, None, None, []))
    assert "<x>" not in page
    assert "&lt;m&gt;" in page
    assert "a&amp;b" in page
    assert "20 lakes asked for, 3 not asked for" in page
    assert "<script" not in page
    assert "0.600 … 0.900" in page
