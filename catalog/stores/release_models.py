"""Models as a publication keeps them: item, card and weights, each model once."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from catalog.facts.publication import JSON, ModelFacts, ReleasedFile
from catalog.stores.files import checksum, checksum_if_there, storage_errors, write_if_changed
from catalog.stores.objects import ObjectPath
from catalog.stores.publications import Publication, flush
from catalog.stores.weights import Card, card_json, find_card, shipped_names

_BYTES: Final = "application/octet-stream"
MakeItem = Callable[[ModelFacts, Sequence[ReleasedFile]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Origin:
    """A card and the weights that it describes."""

    card: Card
    weights: Path


def find_origin(name: str, sha256: str, reference: str) -> Origin | None:
    """Find the card and weights of a model by its hash: where the user says, or among those that come with the program."""
    for candidate in (reference, name if name in shipped_names() else ""):
        if candidate:
            card, weights = find_card(candidate)
            if card.sha256 == sha256:
                return Origin(card, weights)
    return None


def write_model(publication: Publication, model: ModelFacts, origin: Origin | None, make_item: MakeItem) -> None:
    """Write a model's files, then its item; what is there and equal stays untouched."""
    folder = publication.root / model.folder
    roles = ("mlm:model", "metadata") if origin is None else ("metadata",)
    content = _card_of(model) if origin is None else card_json(origin.card)
    files = [
        ReleasedFile("card", f"{model.folder}/card.json", JSON, "Card of the model", roles, write_if_changed(folder / "card.json", content))
    ]
    if origin is not None:
        path = folder / origin.weights.name
        files.append(
            ReleasedFile(
                "weights", f"{model.folder}/{path.name}", _BYTES, "Weights", ("mlm:model", "mlm:weights"), _copied(origin.weights, path)
            )
        )
    item = make_item(model, files)
    write_if_changed(folder / f"{folder.name}.json", json.dumps(item, indent=1).encode())


def _card_of(model: ModelFacts) -> bytes:
    return json.dumps({key: value for key, value in asdict(model).items() if key not in ("folder", "description")}, indent=1).encode()


def _copied(source: Path, path: Path) -> str:
    expected = checksum(source)
    if checksum_if_there(path) == expected:
        return expected
    if isinstance(path, ObjectPath):
        path.send(source)
        return expected
    with storage_errors(path):
        partial = path.with_name(f"{path.name}.partial")
        shutil.copyfile(source, partial)
        flush(partial)
        partial.replace(path)
    return expected
