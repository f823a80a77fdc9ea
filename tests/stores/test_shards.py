"""CryoSentinel's archive, built here in its published layout."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.facts.chips import LABEL_IGNORE
from catalog.facts.errors import ChipsUnusable
from catalog.stores.shards import converted, find_shards, invalid_pixels, read_facts, read_pixels

LEGACY = ("lat", "lon", "water_frac")


def write_shard(folder: Path, rows: list[dict], *, region: str = "ile_alatau", year: int = 2021, number: int = 0, without=()) -> Path:
    """A shard of chips; each row gives what differs from a dry, clear chip."""
    place = folder / region / str(year) / f"shard_{number:04d}.parquet"
    place.parent.mkdir(parents=True, exist_ok=True)
    columns: dict[str, list] = {}
    for count, row in enumerate(rows):
        arrays = {**clear(), **{name: row[name] for name in ("s2", "s1", "dem", "mask") if name in row}}
        facts = {
            "chip_id": f"c{count}",
            "region": region,
            "snapshot_year": year,
            "split": "train",
            "lake_id": "",
            "lat": 43.08,
            "lon": 77.15,
        }
        facts |= {"water_frac": float(arrays["mask"].mean())} | {name: value for name, value in row.items() if name not in arrays}
        for name, array in arrays.items():
            facts |= {f"{name}_bytes": array.tobytes(), f"{name}_shape": list(array.shape)}
        for name, value in facts.items():
            if name not in without:
                columns.setdefault(name, []).append(value)
    pq.write_table(pa.table(columns), place)
    return place


def clear() -> dict[str, np.ndarray]:
    return {
        "s2": np.full((12, 224, 224), 1500, np.uint16),
        "s1": np.full((2, 224, 224), -12, np.float32),
        "dem": np.full((224, 224), 3300, np.int16),
        "mask": np.zeros((224, 224), np.uint8),
    }


def test_rows_come_back_as_chips(tmp_path):
    mask = np.zeros((224, 224), np.uint8)
    mask[10:20, 30:40] = 1
    write_shard(tmp_path, [{}, {"mask": mask, "lake_id": "L7", "lat": 43.05}])
    (shard,) = find_shards(tmp_path)
    assert (shard.region, shard.year) == ("ile_alatau", 2021)
    facts = read_facts(shard)
    assert facts["chip_id"].tolist() == ["c0", "c1"]
    assert facts["lake_id"].tolist() == ["", "L7"]
    dry, wet = (chip for chips in read_pixels(shard) for chip in chips)
    assert not dry.label.any()
    assert (wet.label[10:20, 30:40] == 250).all()
    assert wet.label.sum() == 250 * 100
    assert wet.s1.dtype == np.float32
    assert (wet.s1 == -12).all(), "decibels stay as they are"
    assert (wet.dem == 3300).all()


def test_legacy_shards_lack_their_place_and_still_open(tmp_path):
    write_shard(tmp_path, [{}], without=LEGACY)
    facts = read_facts(find_shards(tmp_path)[0])
    assert facts[list(LEGACY)].isna().all(axis=None)


def spoiled(**changes):
    arrays = clear()
    for name, value in changes.items():
        arrays[name][..., 5, 6] = value
    return arrays


@pytest.mark.parametrize(
    "changes",
    [
        *({"s2": value} for value in (0, 16_000, 32_768)),
        *({"s1": value} for value in (np.nan, np.inf, -np.inf)),
        *({"dem": value} for value in (-32_768, 32_767, -32_000, 32_000)),
    ],
    ids=str,
)
def test_each_rule_of_nodata_spoils_one_pixel_and_only_that(changes):
    arrays = spoiled(**changes)
    invalid = invalid_pixels(arrays["s2"], arrays["s1"], arrays["dem"])
    assert invalid[5, 6]
    assert invalid.sum() == 1
    chip = converted(**arrays)
    assert chip.label[5, 6] == LABEL_IGNORE
    assert (chip.label == LABEL_IGNORE).sum() == 1
    (sensor,) = changes
    lost = {"s2": not chip.s2[:, 5, 6].any(), "s1": np.isnan(chip.s1[:, 5, 6]).all(), "dem": bool(np.isnan(chip.dem[5, 6]))}
    assert [name for name, gone in lost.items() if gone] == [sensor]


def test_one_band_alone_is_no_nodata_of_optics_but_of_radar():
    arrays = clear()
    arrays["s2"][0, 5, 6], arrays["s2"][3, 5, 7] = 0, 16_000
    arrays["s1"][1, 8, 8] = np.nan
    assert np.argwhere(invalid_pixels(arrays["s2"], arrays["s1"], arrays["dem"])).tolist() == [[8, 8]]
    assert converted(**arrays).s2[0, 5, 6] == 1, "a dark pixel is dark, not nodata"


def test_rules_together_are_an_or():
    arrays = clear()
    arrays["s2"][:, 1, 1], arrays["s1"][0, 2, 2], arrays["dem"][3, 3] = 0, np.nan, -32_768
    assert np.argwhere(invalid_pixels(arrays["s2"], arrays["s1"], arrays["dem"])).tolist() == [[1, 1], [2, 2], [3, 3]]


def test_values_out_of_range_are_clipped():
    chip = converted(**spoiled(dem=-3000))
    assert chip.dem[5, 6] == -500
    arrays = clear()
    arrays["s2"][2, 5, 6] = 20_000
    assert converted(**arrays).s2[2, 5, 6] == 16_000


def test_what_is_no_archive_is_said(tmp_path):
    with pytest.raises(ChipsUnusable, match="none here"):
        find_shards(tmp_path)
    write_shard(tmp_path, [{"s2": np.zeros((13, 224, 224), np.uint16)}])
    with pytest.raises(ChipsUnusable, match=r"row 0: s2 is \(13, 224, 224\)"):
        next(read_pixels(find_shards(tmp_path)[0]))
    place = write_shard(tmp_path, [{}], region="other")
    place.write_bytes(b"PAR1 no")
    with pytest.raises(ChipsUnusable, match="not a readable Parquet file"):
        read_facts(next(shard for shard in find_shards(tmp_path) if shard.region == "other"))
