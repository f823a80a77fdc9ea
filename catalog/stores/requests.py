"""What was asked for when a region-year was mapped: kept in the store, so that a backfill needs no flags."""

import json
from dataclasses import asdict, replace
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from catalog.facts.backfills import Request
from catalog.facts.errors import WrongCall
from catalog.facts.options import MapOptions
from catalog.facts.sources import STORED
from catalog.stores.files import write_if_changed
from catalog.stores.store import Store

_OPTIONS: Final = TypeAdapter(MapOptions)


def keep_request(store: Store, region: str, year: int, request: Request) -> None:
    """Remember a request. A replay does not make the store forget the catalog, nor surfaces alone that it was mapped.

    Scenes that the operator refused are not part of it: the store remembers them for the region, and forgets them there.
    """
    before = read_request(store, region, year)
    if before is not None:
        catalog = before.catalog if request.catalog == STORED else request.catalog
        until = "inventory" if before.options.until == "inventory" else request.options.until
        request = replace(request, catalog=catalog, options=replace(request.options, until=until))
    options = replace(request.options, search=replace(request.options.search, refuse=()))
    content = {"catalog": request.catalog, "model": request.model, "options": _others(asdict(options), asdict(MapOptions()))}
    write_if_changed(store.request(region, year), json.dumps(content, indent=1, sort_keys=True).encode())


def read_request(store: Store, region: str, year: int) -> Request | None:
    """Return what was asked for, or None where the store remembers nothing; raises WrongCall for a file that cannot be read."""
    path = store.request(region, year)
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_bytes())
        return Request(content["catalog"], content["model"], _OPTIONS.validate_python(content["options"]))
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise WrongCall(f"{path}: not a request ({error}). Delete it, and name --catalog and --model once more.") from error


def _others(options: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Options that differ from the defaults: what nobody asked for follows the program."""
    found = {}
    for name, value in options.items():
        default = defaults.get(name)
        if isinstance(value, dict) and isinstance(default, dict):
            if inner := _others(value, default):
                found[name] = inner
        elif value != default:
            found[name] = value
    return found
