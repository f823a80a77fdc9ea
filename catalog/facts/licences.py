"""Under what terms an inventory and what it was made from may be used, and the words in which to say so."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

LICENCE_NAMES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "CC-BY-4.0": ("Creative Commons Attribution 4.0 International", "https://creativecommons.org/licenses/by/4.0/legalcode"),
        "CC-BY-SA-4.0": (
            "Creative Commons Attribution-ShareAlike 4.0 International",
            "https://creativecommons.org/licenses/by-sa/4.0/legalcode",
        ),
        "CC0-1.0": ("Creative Commons Zero 1.0 Universal", "https://creativecommons.org/publicdomain/zero/1.0/legalcode"),
        "ODbL-1.0": ("Open Data Commons Open Database License 1.0", "https://opendatacommons.org/licenses/odbl/1-0/"),
        "ODC-By-1.0": ("Open Data Commons Attribution License 1.0", "https://opendatacommons.org/licenses/by/1-0/"),
        "PDDL-1.0": ("Open Data Commons Public Domain Dedication and License 1.0", "https://opendatacommons.org/licenses/pddl/1-0/"),
    }
)
"""SPDX identifier -> full name and address of the legal text."""
SENTINEL_TERMS: Final = "https://sentinels.copernicus.eu/documents/247904/690755/Sentinel_Data_Legal_Notice"
ELEVATION_TERMS: Final = "https://spacedata.copernicus.eu/documents/20123/121286/CSCDA_ESA_Mission-specific_Annex.pdf"
RGI_CITATION: Final = (
    "RGI Consortium (2023). Randolph Glacier Inventory - A Dataset of Global Glacier Outlines, Version 7.0. NSIDC. doi:10.5067/F6JMOVY5NAVZ"
)


def licence_text(licence: str, authors: str) -> str:
    """Return the notice that goes with a release: which licence, where its text is, and what it does not cover."""
    name, address = LICENCE_NAMES.get(licence, (licence, f"https://spdx.org/licenses/{licence}.html"))
    return (
        f"{name} (SPDX: {licence})\n\n"
        f"This inventory by {authors} is licensed under {name}.\n"
        f"The full text of the licence: {address}\n\n"
        "The licence covers the inventory: tables, outlines, rasters and words of this folder. What the inventory was made from stays\n"
        "under its own terms; ATTRIBUTION.txt names it and the words that these terms ask for.\n"
        "The data comes as it is, without warranty of any kind.\n"
    )


def attributions(*, years: tuple[int, ...], sensors: frozenset[str], glaciers: str, model: str) -> tuple[str, ...]:
    """Return one sentence per source: scenes, elevation, glacier outlines and weights; empty words leave theirs out.

    `sensors` are those of the scenes that were used: `s2`, `s1`, `dem`. Source: the terms at `SENTINEL_TERMS` and `ELEVATION_TERMS`.
    """
    span = str(years[0]) if len(years) == 1 else f"{years[0]}-{years[-1]}"
    said = []
    if missions := [name for name, sensor in (("Sentinel-1", "s1"), ("Sentinel-2", "s2")) if sensor in sensors]:
        said.append(f"Contains modified Copernicus Sentinel data {span} ({' and '.join(missions)}); terms: {SENTINEL_TERMS}")
    if "dem" in sensors:
        said.append(
            "Produced using Copernicus WorldDEM-30 (c) DLR e.V. 2010-2014 and (c) Airbus Defence and Space GmbH 2014-2018 provided under "
            f"COPERNICUS by the European Union and ESA; all rights reserved; terms: {ELEVATION_TERMS}"
        )
    return (*said, *([glaciers] if glaciers else []), *([model] if model else []))


def glacier_attribution(names: frozenset[str]) -> str:
    """Return whom to thank for glacier outlines, by how their names look; empty without outlines."""
    if not names:
        return ""
    if any(name.upper().startswith("RGI") for name in names):
        return f"Glacier outlines: {RGI_CITATION}"
    return f"Glacier outlines as given by the producer of the inventory ({min(names)} and others); ask the producer for their terms."
