"""Why a unit is to be done again, from its records alone, and what follows only if bytes change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.facts.causes import State
from catalog.facts.fingerprints import fingerprint_of
from catalog.facts.forecasts import Forecast
from catalog.facts.records import Outcome, Unit
from catalog.facts.staleness import differs_for_sure, open_promise

LOOK, SURFACE, SEGMENT, FEATURES = (
    Unit("khumbu", 2021, tile, stage) for tile, stage in (("a", "look"), ("a", "surface"), ("a", "segment"), ("region", "features"))
)
SCENES = {"stage": "look 2", "scenes": [["S2A", "1"], ["S2B", "1"]]}
MADE_FROM = {"stage": "surface 2", "scenes": [["S2A", "l2a", "05.00", 1000, "1"]], "options": {"snow_ndsi": 0.4, "dem_gap_px": 2}}
MODEL = {"model": "indices 1", "model_sha256": "ab" * 32}


def record(unit, inputs, state=State.DONE, **fields):
    outputs = {f"{unit.stage}.zarr": "sha256:1:1"}
    return Outcome(unit, state, fingerprint_of(inputs), outputs=outputs, inputs=inputs, **fields)


def reasons(recorded, now, **how):
    return [(reason.why, reason.detail) for reason in differs_for_sure(record(LOOK, recorded, **how), now)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scenes": [["S2A", "1"], ["S2B", "1"], ["S2C", "1"]]}, ("new scenes", "S2C")),
        ({"scenes": [["S2A", "1"]]}, ("new scenes", "not in the catalog any more: S2B")),
        ({"scenes": [["S2A", "1"], ["S2B", "2"]]}, ("new scenes", "replaced in the catalog: S2B")),
        ({"scenes": [["S2B", "1"], ["S2A", "1"]]}, ("new scenes", "the catalog lists them in another order")),
        ({"stage": "look 3"}, ("new code", "stage look 2 -> look 3")),
    ],
)
def test_a_difference_of_inputs_explains_itself(change, said):
    assert reasons(SCENES, SCENES | change) == [said]
    assert reasons(SCENES, SCENES) == []


def test_an_option_is_named_with_its_old_and_new_value_and_others_are_not():
    now = MADE_FROM | {"options": {"snow_ndsi": 0.5, "dem_gap_px": 2}}
    assert reasons(MADE_FROM, now) == [("new options", "snow_ndsi 0.4 -> 0.5")]


def test_another_model_is_named_with_both_hashes():
    now = MODEL | {"model": "lakes-tiny 2", "model_sha256": "cd" * 32}
    assert reasons(MODEL, now) == [("new weights", "indices 1 (sha256 abababab) -> lakes-tiny 2 (sha256 cdcdcdcd)")]


def test_a_refused_scene_is_told_from_one_that_the_catalog_lost():
    recorded = record(LOOK, SCENES)
    (reason,) = differs_for_sure(recorded, SCENES | {"scenes": [["S2A", "1"]]}, refused={"S2B"})
    assert (reason.why, reason.detail) == ("new options", "refused by the operator: S2B")


def test_verdicts_that_changed_are_told_one_kind_each():
    before = {"scenes": [["A", "1", True, None], ["B", "1", False, "enough clearer scenes"]]}
    now = {"scenes": [["A", "1", False, "cloud over the tile"], ["B", "1", True, None]]}
    assert reasons(before, now) == [("new options", "used -> cloud over the tile: A"), ("new options", "enough clearer scenes -> used: B")]


def test_what_was_unobserved_is_tried_again_when_there_are_new_scenes_and_only_then():
    more = SCENES | {"scenes": [*SCENES["scenes"], ["S2C", "1"]]}
    assert reasons(SCENES, more, state=State.UNOBSERVED) == [("unobserved", "S2C")]
    assert reasons(SCENES, SCENES, state=State.UNOBSERVED) == []


def chain(forecast, surface=MADE_FROM):
    """Tell a forecast three stages, each made from the one before."""
    forecast.expect(SURFACE, surface)
    made = forecast.outcome(SURFACE)
    forecast.expect(SEGMENT, MODEL | {"surfaces": {"a": dict(made.outputs)}})
    forecast.expect(FEATURES, {"stage": "features 7", "probabilities": {"a": dict(forecast.outcome(SEGMENT).outputs)}})
    return {unit.stage: (planned.reasons[0].why, planned.certain) for unit, planned in forecast.planned.items()}


RECORDS = (
    record(SURFACE, MADE_FROM),
    record(SEGMENT, MODEL | {"surfaces": {"a": {"surface.zarr": "sha256:1:1"}}}),
    record(FEATURES, {"stage": "features 7", "probabilities": {"a": {"segment.zarr": "sha256:1:1"}}}),
)


def test_nothing_is_planned_where_nothing_changed():
    assert chain(Forecast(RECORDS)) == {}


@pytest.mark.parametrize("how", ["damaged", "forced"])
def test_what_is_made_again_from_the_same_gives_the_same_and_nothing_follows(how):
    assert chain(Forecast(RECORDS, **{how: [SURFACE]})) == {"surface": (how, True)}


def test_what_is_made_from_something_else_may_give_other_bytes_and_the_rest_may_follow_for_the_same_reason():
    now = MADE_FROM | {"options": {"snow_ndsi": 0.5, "dem_gap_px": 2}}
    assert chain(Forecast(RECORDS), now) == {
        "surface": ("new options", True),
        "segment": ("new options", False),
        "features": ("new options", False),
    }


def test_what_follows_a_forced_unit_is_not_forced_itself():
    forecast = Forecast(RECORDS, forced=[SURFACE])
    chain(forecast, MADE_FROM | {"stage": "surface 3"})
    (forced, _), (follows, *_) = forecast.planned[SURFACE].reasons, forecast.planned[SEGMENT].reasons
    assert (forced.why, forced.inherited) == ("forced", False)
    assert (follows.why, follows.inherited) == ("forced", True)


def test_a_failed_unit_is_tried_again_and_a_missing_one_is_made():
    failed = record(SURFACE, MADE_FROM, State.FAILED, message="scene S2A: cut short")
    assert chain(Forecast((failed, *RECORDS[1:])))["surface"] == ("failed", True)
    assert chain(Forecast(RECORDS[1:]))["surface"] == ("missing", True)


def test_a_unit_that_was_reopened_is_done_again():
    reopened = Outcome(SURFACE, State.DONE, "", outputs=RECORDS[0].outputs, inputs=MADE_FROM)
    assert chain(Forecast((reopened, *RECORDS[1:]))) == {"surface": ("forced", True)}


VALUES = st.recursive(
    st.integers(0, 2) | st.sampled_from(["x", "y"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)
INPUTS = st.dictionaries(st.sampled_from(["options", "threshold", "stage", "edits", "features", "model"]), VALUES, max_size=4)


@given(INPUTS, INPUTS)
def test_a_unit_is_planned_exactly_where_its_fingerprint_is_another(before, now):
    """The ledger does a unit again where its fingerprint differs: that, and nothing else, must have a reason."""
    forecast = Forecast([record(LOOK, before)])
    forecast.expect(LOOK, now)
    assert (LOOK in forecast.planned) == (fingerprint_of(before) != fingerprint_of(now))


@given(INPUTS, st.sampled_from(["surfaces", "probability"]))
def test_what_waits_for_something_open_is_never_certain_unless_something_else_differs(before, key):
    waiting = {key: {"a": {"p": "sha256:1:1"}}}
    forecast = Forecast([record(SURFACE, MADE_FROM), record(LOOK, before | waiting)], damaged=[])
    forecast.expect(SURFACE, MADE_FROM | {"stage": "surface 3"})
    promise = open_promise(SURFACE)
    forecast.expect(LOOK, before | {key: {"a": {promise: promise}}})
    assert not forecast.planned[LOOK].certain
