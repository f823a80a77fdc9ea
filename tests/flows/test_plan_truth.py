"""A plan beside what the run then read."""

import pytest

from catalog.facts.options import SearchOptions
from catalog.facts.plans import plan_of
from catalog.facts.territory import territory_of
from catalog.facts.year_plans import Known, Means
from catalog.stores import ledger
from catalog.stores.calibrations import calibrated_from, known_from
from catalog.stores.candidates import find_candidates
from catalog.stores.measured_work import runs_of, taken_by
from catalog.stores.regions import family_of, find_region
from catalog.stores.run_records import find_records
from catalog.stores.store import Store
from tests.flows.conftest import YEARS
from tests.small_world import World


@pytest.mark.parametrize("year", YEARS)
def test_what_is_read_kept_and_looked_at_is_within_a_factor_of_one_and_a_half(world: World, mapped: Store, year: int) -> None:
    region = find_region(world.region)
    means = Means(model="indices", costs=calibrated_from(mapped))
    candidates = find_candidates(world.catalog, region, year, SearchOptions())
    planned = plan_of(region, territory_of(region, family_of(region)), year, candidates, SearchOptions(), means)
    taken = taken_by(ledger.find_all(mapped, region.name, year), runs_of(find_records(mapped)))
    assert planned.tiles == taken.tiles
    for plan, run in (
        (planned.read_gb * 1e9, taken.read_bytes),
        (planned.stored_gb * 1e9, taken.stored_bytes),
        (planned.windows, taken.windows),
    ):
        assert 1 / 1.5 < plan / run < 1.5


def test_a_stored_year_tells_heights_and_clouds(world: World, mapped: Store) -> None:
    region = find_region(world.region)
    known = known_from(mapped, region.name)
    assert set(known.highest_m) == {tile.id for tile in territory_of(region, family_of(region)).tiles}
    assert 0.5 < known.kept_share < 1.5
    assert known.features_per_mpx > 0
    assert known_from(None, region.name) == Known()
