"""A region-year of a release as a STAC item, and what becomes of it when another takes its place."""

import copy
from collections.abc import Mapping
from typing import Any, Final

import pystac
from pystac.extensions.projection import ProjectionExtension
from pystac.extensions.scientific import ScientificExtension
from pystac.extensions.version import ItemVersionExtension

from catalog.facts.publication import ReleaseFacts, UsedScene, YearFacts
from catalog.facts.releases import collection_id
from models.publication.assets import add_files

Document = dict[str, Any]
PROCESSING_SCHEMA: Final = "https://stac-extensions.github.io/processing/v1.2.0/schema.json"
_UP: Final = "../"
"""From the folder of a year to that of its release."""
_TO_COLLECTION: Final = "../../../"
_VERSIONS: Final = ("predecessor-version", "successor-version", "latest-version")
_LEVELS: Final = "surface from scenes, {model}, outlines, measured and named features; docs/methods.md of cryoatlas"


def year_path(release: str, year: int) -> str:
    """Folder of a region-year inside the folder of its collection; the Hive key tells readers the year."""
    return f"releases/{release}/year={year}"


def year_item(release: ReleaseFacts, year: YearFacts) -> Document:
    """Return the item of one region-year with its assets, its scenes and its history."""
    item = pystac.Item(
        id=year.id,
        geometry=dict(release.geometry),
        bbox=list(release.bbox),
        datetime=None,
        properties={},
        start_datetime=year.start,
        end_datetime=year.end,
        collection=collection_id(release.target, release.region),
    )
    item.properties.update(_properties(release, year))
    item.stac_extensions.append(PROCESSING_SCHEMA)
    ProjectionExtension.ext(item, add_if_missing=True).apply(code="EPSG:4326")
    ItemVersionExtension.ext(item, add_if_missing=True).apply_base(version=release.release, deprecated=False)
    ScientificExtension.ext(item, add_if_missing=True).apply(doi=release.doi or None, citation=release.citation)
    add_files(item, (*year.files, *release.files))
    item.links = _links(release, year)
    return dict(item.to_dict(include_self_link=False, transform_hrefs=False))


def _properties(release: ReleaseFacts, year: YearFacts) -> Document:
    origin = year.origin
    model = str(origin.get("model", "")) or "a model"
    return {
        "title": f"{release.title}: {'glacial lakes' if release.target == 'lakes' else 'thaw slumps'} {year.year}, release {release.release}",
        "license": release.licence,
        "created": f"{release.day.isoformat()}T00:00:00Z",
        "processing:level": "L4",
        "processing:software": {
            "cryoatlas": str(origin.get("cryoatlas_version", release.version)),
            model.split(" ")[0]: _version_of(model),
        },
        "processing:lineage": _LEVELS.format(model=f"probability by {model}" if release.target == "lakes" else f"detections by {model}"),
        "cryoatlas:target": release.target,
        "cryoatlas:region": release.region,
        "cryoatlas:year": year.year,
        "cryoatlas:features": year.features,
        "cryoatlas:features_below_minimum_area": year.rows - year.features,
        "cryoatlas:area_m2": year.area_m2,
        "cryoatlas:tiles": year.tiles,
        "cryoatlas:observed_share": year.observed_share,
        "cryoatlas:scenes_used": sum(scene.sensor != "dem" for scene in year.scenes),
        "cryoatlas:complete": not year.gaps,
        "cryoatlas:holes": [
            {"tile": gap.tile, "stage": gap.stage, "cause": gap.cause, "message": gap.message, "km2": gap.km2} for gap in year.gaps
        ],
        "cryoatlas:payload_sha256": year.payload,
        "cryoatlas:fingerprint": str(origin.get("fingerprint", "")),
        "cryoatlas:schema_version": origin.get("schema_version"),
        "cryoatlas:model_sha256": str(origin.get("model_sha256", "")),
        "cryoatlas:attribution": list(release.attribution),
        **({"cryoatlas:reason": release.reason} if year.supersedes else {}),
    }


def _version_of(model: str) -> str:
    return model.partition(" ")[2] or "unknown"


def _links(release: ReleaseFacts, year: YearFacts) -> list[pystac.Link]:
    links = [
        pystac.Link("root", f"{_TO_COLLECTION}../catalog.json", pystac.MediaType.JSON),
        pystac.Link("parent", f"{_TO_COLLECTION}collection.json", pystac.MediaType.JSON),
        pystac.Link("collection", f"{_TO_COLLECTION}collection.json", pystac.MediaType.JSON),
        pystac.Link("license", f"{_UP}LICENCE.txt", "text/plain", title=release.licence),
    ]
    if release.doi:
        links.append(pystac.Link("cite-as", f"https://doi.org/{release.doi}"))
    if year.model:
        target = f"{_TO_COLLECTION}../{year.model.folder}/{year.model.folder.rpartition('/')[2]}.json"
        links.append(pystac.Link("model", target, pystac.MediaType.GEOJSON, title=f"{year.model.name} {year.model.version}"))
    if year.supersedes:
        links.append(
            pystac.Link("predecessor-version", f"{_TO_COLLECTION}{year.supersedes_path}", pystac.MediaType.GEOJSON, title=year.supersedes)
        )
    return links + [_derived_from(scene) for scene in year.scenes]


def _derived_from(scene: UsedScene) -> pystac.Link:
    # a catalog of files gives its items no address of their own; the whole item is in the table of scenes
    if not scene.href:
        return pystac.Link("derived_from", f"./scenes.parquet#{scene.id}", "application/vnd.apache.parquet", title=scene.id)
    return pystac.Link("derived_from", scene.href, pystac.MediaType.GEOJSON, title=scene.id)


def with_history(item: Mapping[str, Any], *, successor: str, latest: str) -> Document:
    """Return an item as it reads when another took its place: deprecated, with links to the next and the latest version.

    Empty words stand for none; hrefs are relative to the item. Applied twice it changes nothing.
    """
    changed = copy.deepcopy(dict(item))
    changed["properties"]["deprecated"] = bool(successor)
    kept = [link for link in changed["links"] if link["rel"] not in _VERSIONS[1:]]
    added = [
        {"rel": rel, "href": href, "type": str(pystac.MediaType.GEOJSON)}
        for rel, href in (("successor-version", successor), ("latest-version", latest))
        if href
    ]
    first_scene = next((place for place, link in enumerate(kept) if link["rel"] == "derived_from"), len(kept))
    changed["links"] = kept[:first_scene] + added + kept[first_scene:]
    return changed
