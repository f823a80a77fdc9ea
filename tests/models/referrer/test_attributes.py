"""Words to questions about attributes: every word is read, or something is asked back; nothing is guessed."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.facts.attribute_queries import (
    ATTRIBUTES,
    BY_CHANGE,
    CLASSES_OF_LAKES,
    EVENTS_OF,
    STATES,
    STATUS_OF_SLUMPS,
    AttributeQuery,
    Change,
    Condition,
    Limits,
    Rank,
    Unread,
)
from models.referrer.amounts import amount, plain_words, said_amount
from models.referrer.attribute_phrases import said_query, told_attributes
from models.referrer.attribute_words import FLAGS
from models.referrer.attributes import Known, read_attributes

YEARS = (2018, 2019, 2020, 2021)
LAKES, SLUMPS = Known("lakes", YEARS), Known("slumps", YEARS)


def test_all_that_a_question_says_is_read():
    query = read_attributes("How many ice-contact lakes larger than 0.1 km2 and above 4,000 m grew by more than 10 % since 2018?", LAKES)
    limits = (Condition("area", Limits("above", (100_000.0,))), Condition("elevation", Limits("above", (4000.0,))))
    change = Change("grew", Limits("above", (10.0,)), percent=True)
    assert query == AttributeQuery("lakes", "count", limits, kind="ice-contact", change=change, since=2018, until=2021, year=2021)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("lakes larger than 1 km2", "LAKES bigger than one square kilometre."),
        ("lakes larger than 1 km2", "please show me all the lakes with an area above 100 ha"),
        ("lakes larger than 150 m2", "lakes larger than one hundred and fifty square meters"),
        ("lakes larger than 0.5 km2", "lakes larger than half a km²"),
        ("lakes between 1 and 2 ha", "lakes from 10,000 m2 to 20,000 m2"),
        ("the three largest lakes", "the 3 biggest lakes"),
        ("top 3 lakes by area", "the three lakes with the largest area"),
        ("lakes that shrank by at least 10 % since 2019", "lakes that lost at least 10 percent of their area since 2019"),
        ("lakes that drained since 2019", "which lakes have drained between 2019 and 2021?"),
        ("lakes in 2020 larger than 1 ha", "lakes larger than 1 ha in the year 2020"),
        ("lakes that grew by more than 10 % since 2018", "lakes whose area grew more than 10% since 2018"),
        ("lakes that shrank since 2018", "lakes that lost area since 2018"),
        ("lakes with elevation between 4000 and 4500 m", "lakes between 4000 and 4500 m elevation"),
        ("lakes above 4500 m", "lakes at an altitude of more than 4.5 km"),
        ("thaw slumps larger than 1 ha", "retrogressive thaw slumps larger than 1 ha"),
        ("the lake that grew most since 2018", "the lake that has grown the most since 2018"),
    ],
)  # fmt: skip
def test_words_that_say_the_same_are_the_same_question(one, other):
    assert read_attributes(one, LAKES) == read_attributes(other, LAKES)
    assert isinstance(read_attributes(one, LAKES), AttributeQuery)


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("big lakes", "How large is 'big'?"),
        ("lakes that grew recently", "Since which year is 'recently'?"),
        ("lakes larger than 5", "5 km2, 5 ha or 5 m2"),
        ("lakes over 4000", "4000 of what?"),
        ("lakes larger than 1,5 km2", "than what?"),
        ("lakes larger than -1 km2", "than what?"),
        ("lakes higher than 3 km2", "3 km2 is no length"),
        ("lakes more than 100 m", "Which length"),
        ("lakes between 2 and 1 km2", "lower number first"),
        ("lakes that grew", "2018, 2019 or 2020"),
        ("lakes that grew in 2020", "changes lie between years"),
        ("lakes that drained in 2020", "changes lie between years"),
        ("lakes that grew by 10 % since 2018", "By how much?"),
        ("lakes that drained after 2019", "that year included?"),
        ("lakes that changed since 2018", "grow or shrink"),
        ("lakes that grew since 2017", "No inventory of 2017"),
        ("lakes that grew since 2021", "Nothing lies between 2021 and 2021"),
        ("lakes that grew since 2018 and drained since 2019", "two things about the years"),
        ("lakes that grew and shrank since 2018", "two things about how areas changed"),
        ("lakes since 2018", "What since 2018?"),
        ("lakes in 1999", "No inventory of 1999"),
        ("lakes more than 10 %", "10 percent of what?"),
        ("largest lakes", "How many?"),
        ("the three lakes", "Which 3?"),
        ("top 0 lakes by area", "None of them?"),
        ("the largest and smallest lake", "ranks by two things"),
        ("the second largest lakes", "How many from place 2"),
        ("the lake", "Which lake?"),
        ("lakes and thaw slumps", "one of them at a time"),
        ("lakes not larger than 1 km2", "what something is not"),
        ("lakes that drained or vanished", "one thing or another"),
        ("new lakes", "New since which year?"),
        ("growing lakes", "Growing by which measure?"),
        ("several lakes larger than 1 ha", "How many are 'several'?"),
        ("lakes near a glacier", "How near is 'near'?"),
        ("lakes that grew since 2018 more than 10 ha", "10 ha in all, or grew by it?"),
        ("which of the three largest lakes grew since 2018", "first in order of all that fit"),
        ("how many of the 5 largest lakes are above 4000 m", "first in order of all that fit"),
        ("the largest lake grew since 2018", "first in order of all that fit"),
        ("the largest lake is above 4000 m", "first in order of all that fit"),
        ("has the largest lake grown since 2018?", "not yes or no"),
        ("is the largest lake above 4000 m", "not yes or no"),
        ("dangerous lakes", "does not judge hazards"),
    ],
)  # fmt: skip
def test_words_that_may_mean_several_things_are_asked_back(words, asked):
    back = read_attributes(words, LAKES)
    assert isinstance(back, Unread)
    assert back.ambiguous
    assert asked in back.text


@pytest.mark.parametrize(
    ("words", "known", "asked"),
    [
        ("", LAKES, "About what?"),
        ("larger than 1 km2", LAKES, "About what?"),
        ("colourless green ideas", LAKES, "'colourless'"),
        ("lakes larger than 1 km2 with ducks", LAKES, "'ducks'"),
        ("the largest lake in the upper left", LAKES, "'in'"),
        ("'; DROP TABLE inventory; --", LAKES, "do not understand"),
        ("frozen lakes", LAKES, "does not know frozen lakes"),
        ("glaciers larger than 1 km2", LAKES, "does not know glaciers"),
        ("lakes with status stable", LAKES, "told of slumps alone"),
        ("lakes with a volume above 5 m3", LAKES, "does not tell their volume"),
        ("slumps within 500 m of a glacier", SLUMPS, "does not tell their distance"),
        ("ice-contact slumps", SLUMPS, "told of lakes alone"),
    ],
)  # fmt: skip
def test_words_that_nobody_understands_are_asked_back_with_the_word(words, known, asked):
    back = read_attributes(words, known)
    assert isinstance(back, Unread)
    assert not back.ambiguous
    assert asked in back.text


@pytest.mark.parametrize(
    "words",
    [
        "what is the largest lake that has grown since 2018",
        "which are the three largest lakes",
        "the largest lake whose elevation is above 4000 m",
        "the largest drained lake",
        "the largest lake with an alarm",
        "which two lakes grew most since 2018",
        "total area of the three largest lakes",
        "are there lakes that drained",
        "lakes more than 10 ha that grew since 2018",
        "which lakes are larger than 1 km2 and have grown since 2018",
    ],
)
def test_an_order_of_words_that_says_one_thing_is_read(words):
    assert isinstance(read_attributes(words, LAKES), AttributeQuery)


def test_one_earlier_year_needs_no_saying():
    query = read_attributes("lakes that grew", Known("lakes", (2020, 2021)))
    assert isinstance(query, AttributeQuery)
    assert (query.since, query.until) == (2020, 2021)
    back = read_attributes("lakes that grew", Known("lakes", (2021,)))
    assert isinstance(back, Unread)
    assert "no earlier year" in back.text


def test_the_year_of_the_call_counts_unless_the_words_say_another():
    asked = Known("lakes", YEARS, year=2019)
    assert read_attributes("lakes", asked).year == 2019
    assert read_attributes("lakes in 2019", asked).year == 2019
    assert "which of them?" in read_attributes("lakes in 2020", asked).text
    assert "knows nothing of 2021" in read_attributes("lakes that grew between 2018 and 2021", asked).text


def test_merged_slumps_are_a_status_or_an_event():
    assert "Merged by which measure?" in read_attributes("merged slumps", SLUMPS).text
    assert read_attributes("slumps with status merged", SLUMPS).kind == "merged"
    assert read_attributes("slumps that merged since 2018", SLUMPS).happening == "merged"


_NUMBERS = st.integers(1, 10**9).map(lambda number: number / 1000)
_PERCENT = st.integers(1, 100).map(lambda number: number / 100)


@st.composite
def limits(draw, numbers=_NUMBERS):
    comparison = draw(st.sampled_from(["above", "at least", "below", "at most", "between"]))
    values = sorted(draw(st.lists(numbers, min_size=2, max_size=2))) if comparison == "between" else [draw(numbers)]
    return Limits(comparison, tuple(values))


@st.composite
def queries(draw):
    target = draw(st.sampled_from(["lakes", "slumps"]))
    own = [each for each in ATTRIBUTES if target in each.targets]
    chosen = draw(st.lists(st.sampled_from(own), max_size=2))
    conditions = [Condition(each.name, draw(limits(_PERCENT if each.quantity == "share" else _NUMBERS))) for each in chosen]
    trend = draw(st.none() | st.sampled_from(["grew", "shrank", "stayed the same", "cannot be compared"]))
    amounts = draw(st.none() | limits()) if trend in ("grew", "shrank") else None
    change = None if trend is None else Change(trend, amounts, percent=amounts is not None and draw(st.booleans()))
    ranks = st.builds(Rank, st.sampled_from([each.name for each in own]), st.booleans(), st.integers(1, 5))
    places = st.builds(Rank, st.sampled_from(["area", "elevation"]), st.booleans(), st.just(1), st.integers(1, 4))
    most = [st.builds(Rank, st.just(BY_CHANGE), st.just(trend == "grew"), st.integers(1, 4))] if trend in ("grew", "shrank") else []
    happening = draw(st.none() | st.sampled_from(sorted(EVENTS_OF)))
    return AttributeQuery(
        target,
        draw(st.sampled_from(["list", "count", "total_area"])),
        tuple(conditions),
        kind=draw(st.none() | st.sampled_from(list(CLASSES_OF_LAKES if target == "lakes" else STATUS_OF_SLUMPS))),
        flag=draw(st.none() | st.sampled_from([flag for flag in FLAGS if flag != "below_minimum_area"])),
        change=change,
        happening=happening,
        direction=draw(st.none() | st.sampled_from(["growing", "shrinking"])),
        seen=draw(st.none() | st.sampled_from(sorted(STATES))),
        rank=draw(st.one_of(st.none(), ranks, places, *most)),
        since=2019 if change or happening else None,
        until=2021 if change or happening else None,
        year=2021,
        small=draw(st.booleans()),
    )


@settings(max_examples=150, deadline=None)
@given(queries())
def test_questions_that_are_said_are_read_as_the_same(query):
    assert read_attributes(said_query(query), Known(query.target, YEARS)) == query, said_query(query)


@given(st.text(max_size=60))
def test_no_text_is_read_with_a_word_left_over(text):
    """Whatever is read can be said again: nothing that is not understood is passed over."""
    query = read_attributes(f"lakes {text}", LAKES)
    if isinstance(query, AttributeQuery):
        assert read_attributes(said_query(query), LAKES) == query


@given(_NUMBERS, st.sampled_from(["area", "length", "volume", None]))
def test_amounts_are_read_as_they_are_said(value, quantity):
    number, unit = said_amount(value, quantity).split()
    assert amount(number, unit) == value


def test_numbers_in_words_are_figures():
    assert plain_words("more than Two Hundred and five thousand square  metres") == "more than 205000 m2"
    assert plain_words("5km² or 3 per cent") == "5 km2 or 3 percent"


def test_an_answer_says_how_it_was_found_and_what_was_left_out():
    query = read_attributes("lakes larger than 1 ha that grew since 2018", LAKES)
    assert told_attributes(query, "toy", 1, 1.0, (2, 3)) == (
        "One lake fits 'lakes in 2021 with area more than 0.01 km2 that grew between 2018 and 2021', by the tables of the inventory of toy. "
        "A change within its error counts as none. Of 3 more a change cannot be compared. 2 more below the minimum area would fit."
    )
    total = replace(query, asks="total_area", change=None, since=None, until=None)
    assert told_attributes(total, "toy", 2, 30_000.4, (0, 0)).startswith("0.03 km2 in all: 2 lakes fit")
    assert told_attributes(replace(total, asks="list"), "toy", 0, 0.0, (0, 0)).startswith("No lakes fit")
