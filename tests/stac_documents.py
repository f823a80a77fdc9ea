"""What must hold of every document of a publication: valid STAC 1.1, no broken link, no file that is not what its item says."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator
from pystac.validation.local_validator import get_local_schema_cache
from referencing import Registry, Resource

_CORE = get_local_schema_cache()
_KINDS = {"Feature": "item", "Collection": "collection", "Catalog": "catalog"}
_REGISTRY: Registry[Any] = Registry().with_resources([(name, Resource.from_contents(content)) for name, content in _CORE.items()])
_VALIDATORS = {
    kind: Draft7Validator(_CORE[f"https://schemas.stacspec.org/v1.1.0/{kind}-spec/json-schema/{kind}.json"], registry=_REGISTRY)
    for kind in _KINDS.values()
}


def documents_of(root: Path) -> dict[str, dict[str, Any]]:
    """Every document that can be reached from the catalog by its links, by path inside the publication."""
    found: dict[str, dict[str, Any]] = {}
    waiting = [root / "catalog.json"]
    while waiting:
        path = waiting.pop().resolve()
        name = path.relative_to(root.resolve()).as_posix()
        if name not in found:
            found[name] = json.loads(path.read_bytes())
            waiting += [path.parent / link["href"] for link in found[name]["links"] if link["rel"] in ("child", "item")]
    return dict(sorted(found.items()))


def faults_of(root: Path) -> list[str]:
    """Everything that is wrong with a publication, in words; none is right."""
    return [fault for name, document in documents_of(root).items() for fault in _faults(root, name, document)]


def document_faults(document: dict[str, Any]) -> list[str]:
    """What the schema of STAC 1.1 finds wrong with one document, extensions aside."""
    found = _VALIDATORS[_KINDS[document["type"]]].iter_errors(document)
    return [f"{error.message[:200]} at {list(error.absolute_path)}" for error in found]


def _faults(root: Path, name: str, document: dict[str, Any]) -> Iterator[str]:
    for fault in document_faults(document):
        yield f"{name}: {fault}"
    folder = (root / name).parent
    for link in document["links"]:
        href = link["href"].partition("#")[0]
        if "://" not in href and not (folder / href).is_file():
            yield f"{name}: {link['rel']} leads nowhere: {href}"
    for key, asset in document.get("assets", {}).items():
        path = folder / asset["href"]
        content = path.read_bytes() if path.is_file() else b""
        if (f"1220{hashlib.sha256(content).hexdigest()}", len(content)) != (asset["file:checksum"], asset["file:size"]):
            yield f"{name}: asset {key} is not what it says"
