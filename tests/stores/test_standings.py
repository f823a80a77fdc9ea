"""How a region-year stands: complete, waiting, short or incomplete; by the ground that was observed and the policy of the store."""

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.facts.backfills import Request
from catalog.facts.causes import State
from catalog.facts.errors import Unpublishable, WrongCall
from catalog.facts.options import MapOptions, SearchOptions, SurfaceOptions
from catalog.facts.records import Outcome
from catalog.facts.standings import Policy, standing_of
from catalog.stores import ledger
from catalog.stores.findings import find_findings, finding_of
from catalog.stores.jobs import REGION_UNIT, unit_of
from catalog.stores.requests import keep_request, read_request
from catalog.stores.standings import observed_share, read_policy, set_policy
from catalog.stores.store import open_store
from tasks.check_release import check_release
from tests.made_store import REGION, TILE, job_of, made_store

END = date(2021, 10, 10)
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return made_store(tmp_path_factory.mktemp("made") / "store", years=(2021,))


@pytest.fixture
def store(made, tmp_path):
    shutil.copytree(made.root, tmp_path / "store", copy_function=shutil.copy2)
    return open_store(str(tmp_path / "store"))


@given(st.integers(0, 3), st.none() | st.floats(0, 1), st.floats(0, 1), st.integers(0, 90), st.integers(-10, 200))
def test_every_region_year_is_in_exactly_one_state(holes, observed, target, grace, later):
    stands = standing_of(holes, observed, Policy(target, grace), END, END + timedelta(days=later))
    if holes:
        assert stands.state == "incomplete"
    elif observed is not None and observed >= target:
        assert stands.state == "complete"
    else:
        assert stands.state == ("waiting" if later <= grace else "short")
    assert bool(stands.because) == (stands.state != "complete")


def test_observed_is_the_share_of_the_ground_that_can_hold_the_target(store):
    job = job_of(store, 2021)
    assert observed_share(job, ledger.find_all(store, REGION, 2021)) == pytest.approx(0.9)
    ledger.put(store, Outcome(unit_of(job, TILE.id, "scenes"), State.SKIPPED, "1"))
    assert observed_share(job, ledger.find_all(store, REGION, 2021)) == 1.0
    assert observed_share(job, ()) is None


def test_too_little_ground_waits_for_late_scenes_and_then_is_short(store):
    job = job_of(store, 2021)
    surface = ledger.find(store, unit_of(job, TILE.id, "surface"))
    ledger.put(store, replace(surface, measures={"observed_share": 0.4}))
    early, late = (finding_of(store, REGION, 2021, moment) for moment in (datetime(2021, 10, 20, tzinfo=UTC), NOW))
    assert (early.state, late.state) == ("waiting", "short")
    assert "0.40 of the ground is observed, the target is 0.70" in early.because
    assert str(early.grace_until) in early.because
    assert early.look_again.startswith("cryoatlas backfill --store")
    assert (early.mend, late.mend) == ("", "")


def test_a_policy_of_the_store_and_of_a_region_is_kept(store):
    set_policy(store, None, coverage_target=0.95, grace_days=None)
    assert finding_of(store, REGION, 2021, NOW).state == "short"
    set_policy(store, REGION, coverage_target=0.5, grace_days=10)
    assert read_policy(store, "lakes", REGION) == Policy(0.5, 10)
    assert read_policy(store, "lakes", "elsewhere") == Policy(0.95, 45)
    assert finding_of(store, REGION, 2021, NOW).state == "complete"
    with pytest.raises(WrongCall, match="--set-target 80"):
        set_policy(store, None, coverage_target=80, grace_days=None)


def test_what_is_not_observed_enough_is_published_only_when_that_is_stated(store):
    set_policy(store, None, coverage_target=0.95, grace_days=0)
    with pytest.raises(Unpublishable, match=r"coverage region short: 0\.90 of the ground is observed, the target is 0\.95"):
        check_release.fn(REGION, (2021,), str(store.root), allow_partial=False)
    (gap,) = check_release.fn(REGION, (2021,), str(store.root), allow_partial=True)
    assert (gap.stage, gap.cause) == ("coverage", "short")
    assert gap.km2 > 0


@pytest.mark.parametrize(("kind", "stage"), [("coverage", "coverage"), ("scenes", "scenes"), ("tracks", "tracks")])
def test_a_product_without_a_record_that_is_gone_is_a_hole(store, kind, stage):
    shutil.rmtree(store.root / kind)
    found = finding_of(store, REGION, 2021, NOW)
    assert [(hole.tile, hole.stage) for hole in found.holes] == [(REGION_UNIT, stage)]
    assert found.mend


def test_a_tile_without_any_record_and_a_year_that_only_was_asked_for_are_holes(store):
    for stage in ("scenes", "surface", "segment", "outline"):
        ledger.retire(store, unit_of(job_of(store, 2021), TILE.id, stage))
    assert (TILE.id, "scenes") in [(hole.tile, hole.stage) for hole in finding_of(store, REGION, 2021, NOW).holes]
    keep_request(store, REGION, 2022, Request("earth-search", None, MapOptions()))
    assert [(finding.year, finding.state) for finding in find_findings(store, None, None, NOW)] == [
        (2021, "incomplete"),
        (2022, "incomplete"),
    ]


def test_cubes_alone_are_complete_where_only_they_were_asked_for(store):
    job = job_of(store, 2021)
    for stage in ("segment", "outline"):
        ledger.retire(store, unit_of(job, TILE.id, stage))
    for stage in ("features", "inventory"):
        ledger.retire(store, unit_of(job, REGION_UNIT, stage))
    assert finding_of(store, REGION, 2021, NOW).holes
    keep_request(store, REGION, 2021, Request("earth-search", None, MapOptions(until="surface")))
    assert not finding_of(store, REGION, 2021, NOW).holes


def test_a_request_keeps_what_differs_from_the_defaults_and_a_replay_keeps_its_catalog(store):
    asked = Request("earth-search", "lakes-tiny", MapOptions(surface=SurfaceOptions(snow_ndsi=0.5), search=SearchOptions(refuse=("S2A",))))
    keep_request(store, REGION, 2021, asked)
    assert store.request(REGION, 2021).read_text().count("snow") == 1
    kept = read_request(store, REGION, 2021)
    assert kept == replace(asked, options=MapOptions(surface=SurfaceOptions(snow_ndsi=0.5)))
    keep_request(store, REGION, 2021, Request("stored", None, MapOptions(until="surface")))
    assert read_request(store, REGION, 2021) == Request("earth-search", None, MapOptions())
    store.request(REGION, 2021).write_text("{}")
    with pytest.raises(WrongCall, match="not a request"):
        read_request(store, REGION, 2021)
