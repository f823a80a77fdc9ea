"""The catalog above the releases: written anew from what is there, each file whole, so that it can be finished at any time."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.stores.files import checksum
from catalog.stores.publications import RELEASES_TABLE, Publication, Reached, collections_in, manifests_of, open_publication, writing
from catalog.stores.uploads import put_document
from models.publication.collections import models_collection, region_collection, releases_asset, root_catalog
from models.publication.items import with_history
from models.publication.model_items import MODELS
from models.publication.papers import as_json

Document = dict[str, Any]


def _unwatched(_: str) -> None:
    return None


@task(cache_policy=NO_CACHE, task_run_name="index")
def index_releases(to: str, reached: Reached = _unwatched) -> tuple[str, ...]:
    """Bring items, collections and the catalog up to date with the releases; return those that had no place in it yet.

    Superseded items are marked first, then collections lead to the new ones, then the catalog to the collections: whoever reads in
    between finds every link. Writes nothing when nothing is new, and nothing at all into a folder that is no publication.
    """
    publication = open_publication(to)
    if not publication.card().is_file():
        return ()
    with writing(publication):
        names = collections_in(publication)
        found = [_index_region(publication, name, reached) for name in names]
        children = [(name, title) for name, (title, _) in zip(names, found, strict=True)]
        if _index_models(publication):
            children.append((MODELS, "Models"))
        if children:
            _put(publication.catalog(), root_catalog(children))
            reached("catalog")
    return tuple(f"{name} {release}" for name, (_, new) in zip(names, found, strict=True) for release in new)


def _index_region(publication: Publication, collection: str, reached: Reached) -> tuple[str, tuple[str, ...]]:
    manifests = manifests_of(publication, collection)
    folder = publication.collection(collection).parent
    paths = [(int(year), entry["path"]) for manifest in manifests for year, entry in manifest["years"].items()]
    chains: dict[int, list[str]] = {}
    for year, path in paths:
        chains.setdefault(year, []).append(path)
    items = []
    for year, path in sorted(paths, key=lambda entry: (entry[0], chains[entry[0]].index(entry[1]))):
        item = _with_versions(json.loads((folder / path).read_bytes()), path, chains[year])
        _put(folder / path, item)
        items.append((path, item))
    reached(f"items {collection}")
    known = _linked(publication.collection(collection))
    table = publication.release(collection, manifests[-1]["release"]) / RELEASES_TABLE
    asset = releases_asset(f"./{table.relative_to(folder).as_posix()}", checksum(table), len(manifests))
    document = region_collection(manifests, items, asset)
    _put(publication.collection(collection), document)
    reached(f"collection {collection}")
    new = tuple(m["release"] for m in manifests if not {f"./{entry['path']}" for entry in m["years"].values()} <= known)
    return str(document["title"]), new


def _with_versions(item: Document, path: str, chain: Sequence[str]) -> Document:
    place = chain.index(path)
    successor = f"../../../{chain[place + 1]}" if place + 1 < len(chain) else ""
    return with_history(item, successor=successor, latest=f"../../../{chain[-1]}" if successor else "")


def _linked(path: Path) -> set[str]:
    if not path.is_file():
        return set()
    return {link["href"] for link in json.loads(path.read_bytes())["links"] if link["rel"] == "item"}


def _index_models(publication: Publication) -> bool:
    folder = publication.collection(MODELS).parent
    paths = sorted(path for path in folder.glob("*/*.json") if path.stem == path.parent.name)
    if paths:
        _put(folder / "collection.json", models_collection([(f"{path.stem}/{path.name}", json.loads(path.read_bytes())) for path in paths]))
    return bool(paths)


def _put(path: Path, document: Document) -> None:
    put_document(path, as_json(document))
