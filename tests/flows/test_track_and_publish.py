"""Tracks, then a release of each region that is complete."""

import pytest

from catalog.facts.errors import Unpublishable, WrongCall
from catalog.stores.store import Store
from flows.track_and_publish import track_and_publish


def region_of(store: Store) -> str:
    (path,) = (store.root / "regions").glob("*.geojson")
    return path.stem


@pytest.mark.usefixtures("prefect_server")
def test_a_complete_region_is_published_and_an_incomplete_one_is_named(copied: Store, tmp_path):
    region, to = region_of(copied), tmp_path / "public"
    (report,) = track_and_publish([region], str(copied.root), str(to))
    assert len(report.items) == 2, "without years, all that the store holds"
    released = sorted(path.relative_to(to) for path in to.rglob("*") if path.is_file())

    next(copied.root.glob(f"outlines/lakes/{region}/2022/*.parquet")).unlink()
    with pytest.raises(Unpublishable) as refused:
        track_and_publish([region], str(copied.root), str(to))
    assert f"{region} is not complete" in str(refused.value)
    assert "mend: cryoatlas" in str(refused.value)
    assert "Published: none." in str(refused.value)
    assert sorted(path.relative_to(to) for path in to.rglob("*") if path.is_file()) == released


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize("wrong", ["region", "place"])
def test_a_wrong_call_publishes_nothing_of_any_region(copied: Store, tmp_path, wrong):
    region = region_of(copied)
    regions = [region, "nowhere"] if wrong == "region" else [region]
    to = copied.root / "public" if wrong == "place" else tmp_path / "public"
    with pytest.raises(WrongCall):
        track_and_publish(regions, str(copied.root), str(to))
    assert not to.exists()
