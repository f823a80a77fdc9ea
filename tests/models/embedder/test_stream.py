"""One item is one stream: what is in it, in which order, and that boxes and places say what they should."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.facts.embedder_cards import GeoConfig
from catalog.facts.errors import WrongCall
from models.embedder.boxes import box_of, box_words, overlap
from models.embedder.places import Place, place_numbers, place_width, place_words, points, within_turn
from models.embedder.stream import ADDED, FRAMES, Item, Streamer
from models.embedder.tasks import fixed_searches
from models.language.tokenizer import tokenizer_json, tokenizer_of
from tests.embedded_scenes import RECIPE, SMALL, image, placed, soft, streamer

SHARES = st.floats(0, 1)
PLACES = st.builds(Place, st.floats(-90, 90), st.floats(-720, 720))
WHOLE = Item(
    image=image(), text="two clear lakes", bounds_lbrt=(0.123, 0.5, 0.31, 0.2), place=Place(27.912345, 446.123456), instruction="Find it."
)


def row(item: Item, own: Streamer | None = None) -> list[int]:
    stream = (own or streamer()).of([item])
    return [int(number) for number in stream.ids[0][stream.attention[0] == 1]]


def test_an_item_of_four_things_is_as_long_as_they_are_and_can_be_read_back():
    own = streamer()
    words = "Find it. two clear lakes [12, 20, 31, 50] (27.91, 86.12)"
    said = len(own.tokenizer(words, add_special_tokens=False)["input_ids"])
    ids = row(WHOLE)
    assert len(ids) == 1 + 1 + SMALL.vision.tokens + 1 + said + 1
    assert own.text(ids) == f"<s><|vision_start|>{'<image>' * 4}<|vision_end|>{words}</s>"
    assert own.words(WHOLE) == words


@pytest.mark.parametrize("encoding", ["fourier", "sh"])
def test_a_place_of_numbers_takes_one_token_and_no_words(encoding):
    own = streamer(soft(encoding))
    assert own.text(row(WHOLE, own)).endswith("two clear lakes [12, 20, 31, 50]<|place|></s>")
    stream = own.of([WHOLE, Item(text="lake"), Item(place=Place(1, 2))])
    assert stream.places.shape == (2, place_width(own.config.geo))
    assert streamer().of([WHOLE]).places.numel() == 0


def test_streams_are_padded_on_the_left_and_know_their_images():
    own = streamer()
    stream = own.of([Item(text="lake"), WHOLE, Item(image=image(1)), Item(image=image(2, 64))])
    assert stream.attention[:, -1].all()
    assert (stream.ids[:, -1] == own.ids.end).all()
    assert (stream.attention.diff(dim=1) >= 0).all()
    assert torch.equal(stream.kinds == 1, stream.ids == own.ids.image)
    assert stream.grids.tolist() == [[1, 4, 4], [1, 4, 4], [1, 8, 8]]
    assert stream.kinds.sum(dim=1).tolist() == [0, 4, 4, 16]
    assert stream.pixels.shape == (16 + 16 + 64, 3 * FRAMES * 64)


def test_patches_stand_in_the_order_in_which_they_are_merged():
    own, seen = streamer(), image(3)
    stream = own.of([Item(image=seen)])
    patch = seen[:, 8:16, 0:8]  # second row, first column: third of the first token
    torch.testing.assert_close(stream.pixels[2].reshape(3, FRAMES, 8, 8), patch[:, None].expand(-1, FRAMES, -1, -1))
    patch = seen[:, 0:8, 16:24]  # first row, third column: first of the second token
    torch.testing.assert_close(stream.pixels[4].reshape(3, FRAMES, 8, 8)[:, 1], patch)


def test_control_tokens_that_somebody_writes_are_no_control_tokens():
    own = streamer()
    ids = row(Item(text="lake</s><image><|pla<s>ce|><|place|>", instruction="<|vision_start|>Find it."))
    assert [number for number in ids if own.tokenizer.decode([number]) in own.tokenizer.get_added_vocab()] == [own.ids.begin, own.ids.end]


def test_every_word_of_the_searches_can_be_read_back():
    own = streamer()
    searches = [each for scene in placed(8) for held in (False, True) for each in fixed_searches(scene, RECIPE.searches, 3, held_out=held)]
    for item in (item for each in searches for item in (each.query, each.target.item, *(wrong.item for wrong in each.negatives))):
        text = own.text(row(item))
        assert re.sub(r"<\|vision_start\|>.*<\|vision_end\|>", "", text) == f"<s>{own.words(item)}</s>"


def test_a_vocabulary_is_the_same_after_a_round_trip():
    own = streamer()
    again = Streamer(tokenizer_of(tokenizer_json(own.tokenizer), ADDED, "embedder"), SMALL)
    assert again.ids == own.ids
    assert row(WHOLE, again) == row(WHOLE)


def test_what_cannot_be_read_is_refused():
    with pytest.raises(WrongCall, match="has no vector"):
        Item(instruction="Find it.")
    with pytest.raises(WrongCall, match="whole tokens of 16 px"):
        streamer().of([Item(image=image(0, 24))])
    with pytest.raises(WrongCall, match="fewer words"):
        streamer().of([Item(text="7" * 600)])


@given(SHARES, SHARES, SHARES, SHARES)
def test_boxes_are_rounded_outward_and_never_empty(x1, x2, y1, y2):
    left, right, top, bottom = min(x1, x2), max(x1, x2), min(y1, y2), max(y1, y2)
    words = box_words((left, bottom, right, top), 100)
    a, b, c, d = (int(number) for number in re.findall(r"\d+", words))
    assert 0 <= a < c <= 100
    assert 0 <= b < d <= 100
    for low, high, first, last in ((left, right, a, c), (top, bottom, b, d)):
        assert first / 100 <= low + 1e-7
        assert last / 100 >= high - 1e-7
        assert last - first <= (high - low) * 100 + 2


@given(st.integers(0, 99), st.integers(0, 99), st.integers(1, 100), st.integers(1, 100))
def test_a_box_that_was_told_is_told_the_same_again(x, y, width, height):
    words = f"[{x}, {y}, {min(x + width, 100)}, {min(y + height, 100)}]"
    bounds = box_of(words, 100)
    assert bounds is not None
    assert box_words(bounds, 100) == words
    assert overlap(bounds, bounds) == pytest.approx(1)


def test_boxes_that_are_none_are_refused_and_those_that_stick_out_are_cut():
    assert box_words((-0.2, 0.5, 0.3, 0.2), 100) == "[0, 20, 30, 50]"
    assert box_words((0.0, 1.0, 1.0, 0.0), 100) == "[0, 0, 100, 100]"
    for wrong in ((0.5, 0.5, 0.3, 0.2), (1.1, 0.5, 1.3, 0.2), (float("nan"), 0.5, 0.3, 0.2), (0.1, 0.2, 0.3, 0.5)):
        with pytest.raises(WrongCall, match="Box"):
            box_words(wrong, 100)
    assert box_of("[1, 2, 3]", 100) is box_of("[5, 2, 5, 9]", 100) is box_of("[5, 2, 105, 9]", 100) is None


@given(PLACES, st.integers(0, 6))
def test_places_are_told_to_the_decimals_that_are_asked_for(place, decimals):
    words, number = place_words(place, decimals), r"-?\d+" + (rf"\.\d{{{decimals}}}" if decimals else "")
    latitude, longitude = (float(said) for said in words.strip("()").split(", "))
    assert re.fullmatch(rf"\({number}, {number}\)", words)
    assert not re.search(r"-0(\.0*)?[,)]", words)
    assert abs(latitude - place.latitude_deg) <= 0.5 * 10**-decimals + 1e-9
    assert -180 <= longitude < 180
    assert min(abs(longitude - place.longitude_deg + turn) for turn in (-360, 0, 360)) <= 0.5 * 10**-decimals + 1e-9


@given(st.floats(-1e6, 1e6))
def test_longitudes_are_brought_into_one_turn(longitude):
    inside = within_turn(longitude)
    assert -180 <= inside < 180
    assert np.cos(np.radians(inside)) == pytest.approx(np.cos(np.radians(longitude)), abs=1e-6)


def test_the_example_of_the_paper_is_told_as_in_the_paper():
    assert place_words(Place(34.0522751, 118.2437394), 6) == "(34.052275, 118.243739)"
    assert place_words(Place(34.0522751, 179.9999999), 6) == "(34.052275, -180.000000)"
    for wrong in ((91.0, 0.0), (float("nan"), 0.0), (0.0, float("inf"))):
        with pytest.raises(WrongCall, match="is no place"):
            Place(*wrong)


@pytest.mark.parametrize("encoding", ["fourier", "sh"])
def test_numbers_of_places_know_no_date_line_and_no_pole(encoding):
    config = GeoConfig(encoding=encoding, decimals=6)
    numbers = place_numbers([Place(12, 179.99999), Place(12, -179.99999), Place(90, 0), Place(90, 77), Place(12, 0)], config)
    assert numbers.shape == (5, place_width(config))
    assert np.abs(numbers[0] - numbers[1]).max() < 1e-3
    np.testing.assert_allclose(numbers[2], numbers[3], atol=1e-9)
    assert np.abs(numbers[0] - numbers[4]).max() > 0.5


@settings(deadline=None)
@given(st.lists(PLACES, min_size=1, max_size=5))
def test_harmonics_of_a_degree_are_as_strong_everywhere(places):
    numbers = place_numbers(places, GeoConfig(encoding="sh", degree=5))
    for order in range(6):
        # addition theorem
        np.testing.assert_allclose(np.square(numbers[:, order**2 : (order + 1) ** 2]).sum(axis=1), 2 * order + 1, rtol=1e-6)


def test_harmonics_of_the_first_degree_are_the_three_coordinates():
    places = [Place(10, 20), Place(-40, 170), Place(80, -60)]
    numbers = place_numbers(places, GeoConfig(encoding="sh", degree=1))
    xyz = points(np.array([(each.latitude_deg, each.longitude_deg) for each in places])) * np.sqrt(3)
    np.testing.assert_allclose(np.abs(numbers[:, [3, 1, 2]]), np.abs(xyz), rtol=1e-5)


def test_fewer_decimals_hide_where_it_was():
    near = [Place(27.91234, 86.12345), Place(27.9149, 86.1201)]
    assert place_words(near[0], 2) == place_words(near[1], 2)
    numbers = place_numbers(near, replace(SMALL.geo, encoding="fourier", decimals=2))
    np.testing.assert_array_equal(numbers[0], numbers[1])
    assert np.abs(np.diff(place_numbers(near, GeoConfig(encoding="fourier")), axis=0)).max() > 0
