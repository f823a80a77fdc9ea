"""Scenes to files: the COGs of an acquisition and the item that describes them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from simulator import cog, optical, radar, stac
from simulator.frames import Frame
from simulator.schedule import Delivery, OpticalPass, RadarPass
from simulator.sky import Sun
from simulator.spectra import BANDS, RESOLUTION_M

COMMON_NAMES = dict(
    zip(BANDS, ("coastal", "blue", "green", "red", *["rededge"] * 3, "nir", "rededge", "", "swir16", "swir22"), strict=True)
)
WAVELENGTHS_UM = dict(zip(BANDS, (0.443, 0.49, 0.56, 0.665, 0.704, 0.74, 0.783, 0.842, 0.865, 0.945, 1.61, 2.19), strict=True))
SCL_SHARES = (
    ("s2:dark_features_percentage", (optical.DARK,)),
    ("s2:cloud_shadow_percentage", (optical.CLOUD_SHADOW,)),
    ("s2:vegetation_percentage", (optical.VEGETATION,)),
    ("s2:not_vegetated_percentage", (optical.BARE,)),
    ("s2:water_percentage", (optical.WATER,)),
    ("s2:unclassified_percentage", (optical.UNCLASSIFIED,)),
    ("s2:medium_proba_clouds_percentage", (optical.CLOUD_MEDIUM,)),
    ("s2:high_proba_clouds_percentage", (optical.CLOUD_HIGH,)),
    ("s2:thin_cirrus_percentage", (optical.CIRRUS,)),
    ("s2:snow_ice_percentage", (optical.SNOW,)),
    ("eo:cloud_cover", (optical.CLOUD_MEDIUM, optical.CLOUD_HIGH, optical.CIRRUS)),
)


def write_optical(
    folder: Path, frame: Frame, scene: optical.OpticalScene, pass_: OpticalPass, delivery: Delivery, sun: Sun
) -> tuple[str, int]:
    """Write one delivery of a scene; returns the item's name and the bytes written."""
    stamp = pass_.when.strftime("%Y%m%dT%H%M%S")
    square = stac.mgrs_square(frame)
    name = f"{pass_.satellite}_MSIL2A_{stamp}_R{pass_.orbit:03d}_T{square}_{delivery.generated.strftime('%Y%m%dT%H%M%S')}"
    dialect = stac.Dialect(code=(pass_.number + pass_.when.year) % 3 == 0, transform=pass_.number % 4 != 2)
    here = folder / stac.OPTICAL / name
    assets: dict[str, stac.Json] = {}
    for band in BANDS:
        grid = frame.rescaled(RESOLUTION_M[band] // 10)
        cog.write(here / f"{band}.tif", scene.counts(band, delivery.offset), epsg=frame.epsg, transform=grid.transform, nodata=0)
        assets[band] = _band_asset(band, grid, dialect)
    grid = frame.rescaled(optical.SCL_FACTOR)
    cog.write(here / "SCL.tif", scene.scl, epsg=frame.epsg, transform=grid.transform, nodata=0, labels=True)
    assets["SCL"] = {"href": "./SCL.tif", "type": stac.COG_TYPE, "roles": ["data"], "gsd": 20.0, "title": "Scene classification map (SCL)"}
    assets["SCL"] |= dialect.grid(grid)
    properties = dialect.crs(frame.epsg) | _optical_properties(square, scene.scl, pass_, delivery, sun)
    record = stac.item(
        stac.OPTICAL,
        name,
        stac.footprint(frame),
        dialect=dialect,
        properties=properties,
        assets=assets,
    )
    return _finished(here, name, record)


def _band_asset(band: str, grid: Frame, dialect: stac.Dialect) -> stac.Json:
    described: stac.Json = {"name": band, "description": f"Band {band[1:].lstrip('0')}", "center_wavelength": WAVELENGTHS_UM[band]}
    if COMMON_NAMES[band]:
        described["common_name"] = COMMON_NAMES[band]
    fields: stac.Json = {
        "href": f"./{band}.tif",
        "type": stac.COG_TYPE,
        "roles": ["data"],
        "gsd": float(RESOLUTION_M[band]),
        "title": f"Band {band[1:].lstrip('0')} - {RESOLUTION_M[band]}m",
        "eo:bands": [described],
    }
    return fields | dialect.grid(grid)


def _optical_properties(square: str, scl: npt.NDArray[np.uint8], pass_: OpticalPass, delivery: Delivery, sun: Sun) -> stac.Json:
    stamp, made = pass_.when.strftime("%Y%m%dT%H%M%S"), delivery.generated.strftime("%Y%m%dT%H%M%S")
    short = delivery.baseline.replace(".", "")
    valid = max(int((scl != optical.NO_DATA).sum()), 1)
    shares = {name: round(float(np.isin(scl, labels).sum()) / valid * 100, 6) for name, labels in SCL_SHARES}
    number = 20_000 + (pass_.when - pass_.when.replace(year=2018, month=1, day=1)).days * 14
    return {
        "datetime": stac.zulu(pass_.when),
        "platform": f"Sentinel-2{pass_.satellite[-1]}",
        "constellation": "Sentinel 2",
        "instruments": ["msi"],
        "s2:mgrs_tile": square,
        "s2:processing_baseline": delivery.baseline,
        "s2:generation_time": stac.zulu(delivery.generated),
        "s2:datatake_id": f"G{pass_.satellite}_{stamp}_{number:06d}_N{delivery.baseline}",
        "s2:product_uri": f"{pass_.satellite}_MSIL2A_{stamp}_N{short}_R{pass_.orbit:03d}_T{square}_{made}.SAFE",
        "s2:granule_id": f"{pass_.satellite}_OPER_MSI_L2A_TL_SIMU_{made}_A{number:06d}_T{square}_N{delivery.baseline}",
        "s2:product_type": "S2MSI2A",
        "s2:datatake_type": "INS-NOBS",
        "s2:mean_solar_zenith": sun.zenith_deg,
        "s2:mean_solar_azimuth": sun.azimuth_deg,
        "s2:nodata_pixel_percentage": round(100 - 100 * valid / scl.size, 6) if (scl == optical.NO_DATA).any() else 0.0,
        "sat:orbit_state": "descending",
        "sat:relative_orbit": pass_.orbit,
        **shares,
    }


def write_radar(folder: Path, frame: Frame, scene: Mapping[str, npt.NDArray[np.float32]], pass_: RadarPass) -> tuple[str, int]:
    """Write one radar scene; returns the item's name and the bytes written."""
    start = pass_.when.strftime("%Y%m%dT%H%M%S")
    orbit = 20_000 + (pass_.when - pass_.when.replace(year=2018, month=1, day=1)).days * 14
    name = f"{pass_.satellite}_IW_GRDH_1SDV_{start}_{start[:-2]}59_{orbit:06d}_{orbit + 77:06X}_rtc"
    dialect = stac.Dialect(code=pass_.number % 2 == 1)
    here = folder / stac.RADAR / name
    assets: dict[str, stac.Json] = {}
    for polarization, pixels in scene.items():
        cog.write(here / f"{polarization}.tif", pixels, epsg=frame.epsg, transform=frame.transform, nodata=radar.NO_DATA)
        stored: stac.Json = {"nodata": -32768, "data_type": "float32", "spatial_resolution": 10.0}
        assets[polarization] = {"href": f"./{polarization}.tif", "type": stac.COG_TYPE, "roles": ["data"], "raster:bands": [stored]}
    properties: stac.Json = {
        "datetime": stac.zulu(pass_.when),
        "platform": f"SENTINEL-1{pass_.satellite[-1]}",
        "constellation": "Sentinel-1",
        **dialect.crs(frame.epsg),
        **dialect.grid(frame, closing=True),
        "sar:polarizations": ["VV", "VH"],
        "sar:instrument_mode": "IW",
        "sar:frequency_band": "C",
        "sar:center_frequency": 5.405,
        "sar:product_type": "GRD",
        "sar:looks_equivalent_number": radar.LOOKS,
        "sar:observation_direction": "right",
        "sat:orbit_state": "ascending" if pass_.ascending else "descending",
        "sat:relative_orbit": pass_.orbit,
        "sat:absolute_orbit": orbit,
        "s1:processing_level": "1",
    }
    record = stac.item(stac.RADAR, name, stac.footprint(frame), dialect=dialect, properties=properties, assets=assets)
    return _finished(here, name, record)


def _finished(here: Path, name: str, record: stac.Json) -> tuple[str, int]:
    stac.write_json(here / f"{name}.json", record)
    return name, sum(path.stat().st_size for path in here.iterdir())
