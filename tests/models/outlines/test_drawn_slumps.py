"""Inventories that experts drew year by year (Runge et al. 2022, Barth et al. 2023; ARTS, CC0), followed."""

import pytest

from benchmarks.real_tracks import SITES, follow


@pytest.fixture(scope="module")
def followed(shared_data):
    folder = shared_data / "rts" / "inventories"
    if not (folder / SITES["barth2023_NK"][1]).is_file():
        pytest.skip("the inventories of slumps are not among the real data")
    return {name: follow(folder / SITES[name][1]) for name in ("runge2022_batagay", "runge2022_chukotka_coast", "barth2023_NK")}


def test_the_megaslump_is_one_slump_that_grows_by_hectares_a_year(followed):
    (growth,) = followed["runge2022_batagay"].growth.values()
    assert growth.significantly_growing
    assert growth.m2_per_year == pytest.approx(24_000, rel=0.05)
    assert not followed["runge2022_batagay"].events


def test_slumps_drawn_on_two_images_of_a_year_are_one(followed):
    chukotka = followed["runge2022_chukotka_coast"]
    assert chukotka.drawn == 393
    assert chukotka.years == {2013: 50, 2014: 70, 2016: 60, 2017: 59, 2018: 62, 2019: 41}


def test_mapped_slumps_of_an_island_grow_together_and_hardly_come_or_go(followed):
    island = followed["barth2023_NK"]
    assert island.events["merge"] > island.events["split"]
    assert island.events["appear"] + island.events["vanish"] <= 3
    rates = [growth.m2_per_year for growth in island.growth.values()]
    assert sum(rate > 0 for rate in rates) / len(rates) > 0.7


def test_outlines_by_hand_move_by_some_metres_between_years(followed):
    assert all(1.5 < followed[name].sigma_m < 5 for name in ("runge2022_chukotka_coast", "barth2023_NK"))
