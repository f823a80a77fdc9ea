"""Chips of a foreign archive as records of ours: place, split and trust, decided from what the archive says of each chip."""

from typing import Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from catalog.facts.chips import CHIP_PX, EARTH, LABEL_IGNORE, ChipRecord
from catalog.facts.grids import PIXEL_M, from_lonlat, to_lonlat, zone_epsg
from catalog.facts.splits import BUFFER, blocks_of, splits_of
from models.segmenter.cutting import FOREIGN_LAKE, NEAR_EDGE, lake_share_of
from models.segmenter.labels import weight_of
from models.segmenter.sanity import sanity_of

NOWHERE: Final = "the archive does not say where it is"
SOURCE: Final = "CryoSentinel chip archive"
_LABEL_YEARS: Final = (2016, 2022)
_MIDPOINT: Final = 2019


def label_year_of(image_year: int) -> int:
    """Year of the inventory behind an archived label: 2016 before 2019, else 2022."""
    return _LABEL_YEARS[0] if image_year < _MIDPOINT else _LABEL_YEARS[1]


def split_archive(facts: pd.DataFrame) -> pd.DataFrame:
    """Add split, reason and block to the chips of a whole archive (lat, lon, lake_id); its own split is not used.

    A lake whose chips fall into two splits stays in that of most of its chips; the others become buffer.
    """
    placed = (facts["lat"].notna() & facts["lon"].notna()).to_numpy()
    latitude, longitude = (facts.loc[placed, name].to_numpy(np.float64) for name in ("lat", "lon"))
    split, block = np.full(len(facts), BUFFER, object), np.full(len(facts), "", object)
    split[placed], block[placed] = splits_of(latitude, longitude), blocks_of(latitude, longitude)
    reason = np.where(placed, np.where(split == BUFFER, NEAR_EDGE, ""), NOWHERE).astype(object)
    torn = _torn_lakes(facts["lake_id"].astype(str).to_numpy(object), split)
    split[torn], reason[torn] = BUFFER, FOREIGN_LAKE
    return facts.assign(split=split, reason=reason, block=block, lake_split=facts["split"])


def _torn_lakes(lake_ids: NDArray[np.object_], split: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Chips that are not in the split of most chips of their lake."""
    used = pd.DataFrame({"lake": lake_ids, "split": split})[(lake_ids != "") & (split != BUFFER)]
    counts = used.groupby(["lake", "split"]).size().reset_index(name="chips")
    mostly = counts.sort_values(["chips", "split"], ascending=[False, True]).drop_duplicates("lake").set_index("lake")["split"]
    own = used["lake"].map(mostly)
    torn = np.zeros(len(lake_ids), bool)
    torn[used.index[own != used["split"]]] = True
    return torn


def archived_record(fact: pd.Series, region: str, year: int, s2: NDArray[np.uint16], label: NDArray[np.uint8]) -> ChipRecord:
    """Record of one archived chip, a row of `split_archive`."""
    epsg, y, x = _place(fact["lat"], fact["lon"])
    sanity, label_year = sanity_of(s2, label), label_year_of(year)
    return ChipRecord(
        chip_id=f"{region}/{year}/{fact['chip_id']}",
        ground=EARTH,
        region=region,
        year=year,
        label_year=label_year,
        epsg=epsg,
        origin_y_px=y,
        origin_x_px=x,
        longitude=float(fact["lon"]),
        latitude=float(fact["lat"]),
        split=str(fact["split"]),
        reason=str(fact["reason"]),
        block=str(fact["block"]),
        lake_share=lake_share_of(label),
        lakes=-1,
        valid_share=float((label != LABEL_IGNORE).mean()),
        weight=weight_of(year, label_year),
        sane=sanity.sane,
        mask_px=sanity.mask_px,
        mndwi_px=sanity.water_px,
        mndwi_iou=sanity.iou,
        mndwi_ratio=sanity.water_per_mask,
        mndwi_background=sanity.background_share,
        source=SOURCE,
        lake_split=str(fact["lake_split"]),
    )


def archived_footprint(fact: pd.Series) -> shapely.Geometry | None:
    """Square of 2.24 km around the centre in its zone, as EPSG:4326; None when the archive does not say where."""
    if np.isnan(fact["lat"]) or np.isnan(fact["lon"]):
        return None
    epsg = zone_epsg(fact["lon"], fact["lat"])
    x, y = from_lonlat(epsg).transform(fact["lon"], fact["lat"])
    half = CHIP_PX * PIXEL_M / 2
    corners = shapely.get_coordinates(shapely.box(x - half, y - half, x + half, y + half))
    return shapely.Polygon(np.column_stack(to_lonlat(epsg).transform(corners[:, 0], corners[:, 1])))


def _place(latitude: float, longitude: float) -> tuple[int, int, int]:
    """EPSG code and the lattice pixel nearest to the chip's upper left corner: archived chips need not lie on the lattice."""
    if np.isnan(latitude) or np.isnan(longitude):
        return 0, 0, 0
    epsg = zone_epsg(longitude, latitude)
    x, y = from_lonlat(epsg).transform(longitude, latitude)
    return epsg, round(-y / PIXEL_M) - CHIP_PX // 2, round(x / PIXEL_M) - CHIP_PX // 2
