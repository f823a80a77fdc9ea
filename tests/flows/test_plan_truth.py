"""A plan beside what the run then read."""

import pytest

from catalog.facts.options import SearchOptions
from catalog.facts.plans import plan_of
from catalog.facts.territory import territory_of
from catalog.facts.year_plans import Known, Means
from catalog.stores import ledger
from catalog.stores.calibrations import calibrated_from, known_from
from catalog.stores.candidates import find_candidates
from catalog.stores.regions import family_of, find_region
from catalog.stores.store import Store
from tests.flows.conftest import YEARS
from tests.small_world import World


@pytest.mark.parametrize("year", YEARS)
def test_bytes_read_are_within_a_factor_of_one_and_a_half(world: World, mapped: Store, year: int) -> None:
    region = find_region(world.region)
    means = Means(model="indices", costs=calibrated_from(mapped))
    candidates = find_candidates(world.catalog, region, year, SearchOptions())
    planned = plan_of(region, territory_of(region, family_of(region)), year, candidates, SearchOptions(), means)
    units = ledger.find_all(mapped, region.name, year)
    assert 1 / 1.5 < planned.read_gb / (sum(o.read_bytes for o in units) / 1e9) < 1.5
    assert planned.tiles == sum(o.unit.stage == "scenes" for o in units)


def test_a_stored_year_tells_heights_and_clouds(world: World, mapped: Store) -> None:
    region = find_region(world.region)
    known = known_from(mapped, region.name)
    assert set(known.highest_m) == {tile.id for tile in territory_of(region, family_of(region)).tiles}
    assert 0.3 < known.kept_share <= 1.0
    assert known_from(None, region.name) == Known()
