"""Slump inventories that experts drew year by year, followed through the years: births, mergers, splits, growth, and a picture of each.

python -m benchmarks.real_tracks [--data ../shared/data/rts/inventories] [--out pictures]
"""

import json
from argparse import ArgumentParser
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from catalog.facts.options import TRACKING
from catalog.stores.inventories import read_others
from models.detector.growth import Growth, boundary_sigma_m, growth_of
from models.outlines.geodesy import area_perimeter
from models.outlines.identity import Registry
from models.outlines.others import dissolved, observed_on_tiles
from models.outlines.track import Tracks, tracks_from_polygons
from models.pictures.series import EventMark, TrackYear, prepare
from models.pictures.series_picture import series_picture

DRAWN_PX_M = 5.0
"""Pixels of the RapidEye and PlanetScope images that the outlines were drawn on."""
USUAL_SIGMA_M, LEAST_TRACKS = 3.5, 10
"""Noise of outlines drawn by hand on 5 m, where a site has too few slumps to measure its own."""
SITES = {
    "runge2022_batagay": ("Batagay", "runge2022_batagay_by_date.gpkg"),
    "runge2022_chukotka_coast": ("Chukotka coast", "runge2022_chukotka_coast_by_date.gpkg"),
    "runge2022_lower_lena": ("Lower Lena", "runge2022_lower_lena_by_date.gpkg"),
    "runge2022_east_taymyr": ("East Taymyr (two years, no image in common)", "runge2022_east_taymyr_by_date.gpkg"),
    "barth2023_ET": ("East Taymyr (2011: one of four images)", "barth2023_ET_rts_by_year.gpkg"),
    "barth2023_NK": ("North Kolguev", "barth2023_NK_rts_by_year.gpkg"),
    "barth2023_NZ": ("Novaya Zemlya", "barth2023_NZ_rts_by_year.gpkg"),
    "barth2023_SK": ("South Kolguev", "barth2023_SK_rts_by_year.gpkg"),
}
"""Sources: Runge et al. 2022 (PANGAEA.941479), Barth et al. 2023; as kept in the ARTS data set (CC0)."""


@dataclass(frozen=True, slots=True)
class Followed:
    """One site through the years."""

    years: dict[int, int]
    """Outlines per year, after those drawn twice were joined."""
    drawn: int
    tracks: Tracks
    growth: dict[str, Growth]
    sigma_m: float

    @property
    def events(self) -> Counter[str]:
        """Events of every kind."""
        return Counter(self.tracks.events.column("event").to_pylist())


def follow(path: Path) -> Followed:
    """Read, join what was drawn twice, and follow one inventory."""
    options, others = TRACKING["slumps"], read_others(str(path))
    drawn = {year: each.outlines for year, each in others.items()}
    outlines = {year: dissolved(shapes, min_overlap=options.min_overlap) for year, shapes in drawn.items()}
    observed = observed_on_tiles(drawn, {year: each.tiles for year, each in others.items()})
    span = min(outlines), max(outlines)
    tracks, registry = tracks_from_polygons(outlines, span, options, pixel_m=DRAWN_PX_M, prefix="RTS", observed=observed)
    histories = _histories(registry)
    sigma = boundary_sigma_m(list(histories.values())) if len(histories) >= LEAST_TRACKS else USUAL_SIGMA_M
    sigma = USUAL_SIGMA_M if np.isnan(sigma) else sigma
    growth = {name: growth_of(*history, boundary_sigma_m=sigma) for name, history in histories.items()}
    return Followed(
        {year: len(shapes) for year, shapes in sorted(outlines.items())},
        sum(len(shapes) for shapes in drawn.values()),
        tracks,
        {name: found for name, found in growth.items() if found.years > 1},
        sigma,
    )


def _histories(registry: Registry) -> dict[str, tuple[tuple[int, ...], np.ndarray, np.ndarray]]:
    area, perimeter = area_perimeter(registry.outlines)
    rows: dict[str, list[tuple[int, float, float]]] = defaultdict(list)
    for name, *row in zip(registry.ids, registry.years, area, perimeter, strict=True):
        rows[name].append((row[0], row[1], row[2]))
    return {name: (tuple(r[0] for r in found), *np.array([r[1:] for r in found]).T) for name, found in rows.items()}


def picture(followed: Followed, title: str, source: str) -> bytes:
    """The site's series as the pipeline draws it."""
    names = ("feature_id", "year", "state", "area_m2", "area_low_m2", "area_high_m2", "observed_share", "comparable")
    rows = [TrackYear(*(row[name] for name in names)) for row in followed.tracks.rows.to_pylist()]
    marks = [
        EventMark(row["event"], row["year_from"], row["year_to"], (*row["parents"], *row["children"]))
        for row in followed.tracks.events.to_pylist()
    ]
    return series_picture(prepare(rows, marks), title=title, target="slumps", source=source, copernicus=False)


def figures(followed: Followed) -> dict[str, object]:
    """What the table and the record show of one site."""
    found = list(followed.growth.values())
    rates = np.array([growth.m2_per_year for growth in found])
    ids = len(pa.compute.unique(followed.tracks.rows.column("feature_id"))) if len(followed.tracks.rows) else 0
    return {
        "outlines": followed.drawn,
        "after_joining": sum(followed.years.values()),
        "per_year": followed.years,
        "slumps": ids,
        "in_two_years_or_more": len(found),
        "events": dict(sorted(followed.events.items())),
        "boundary_sigma_m": round(followed.sigma_m, 2),
        "growth_median_m2_per_year": round(float(np.median(rates)), 0) if found else None,
        "growing_share": round(float((rates > 0).mean()), 2) if found else None,
        "significantly_growing": sum(growth.significantly_growing for growth in found),
        "significantly_shrinking": sum(growth.significant and growth.m2_per_year < 0 for growth in found),
    }


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/rts/inventories"))
    parser.add_argument("--out", type=Path, default=None, help="folder for pictures and figures.json")
    chosen = parser.parse_args()
    record = {}
    for name, (title, file) in SITES.items():
        followed = follow(chosen.data / file)
        record[name] = figures(followed)
        print(name, json.dumps(record[name]))
        if chosen.out:
            chosen.out.mkdir(parents=True, exist_ok=True)
            source = f"Outlines: {'Runge et al. 2022' if name.startswith('runge') else 'Barth et al. 2023'}, drawn by hand"
            (chosen.out / f"{name}.png").write_bytes(picture(followed, title, source))
    if chosen.out:
        (chosen.out / "figures.json").write_text(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
