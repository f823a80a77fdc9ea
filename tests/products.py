"""What is compared when two stores must be alike: bytes."""

from catalog.stores.store import Store

KINDS = (
    "cubes",
    "probability",
    "outlines",
    "features",
    "identity",
    "inventory",
    "tracks",
    "events",
    "scenes",
    "changes",
    "change_shapes",
    "trends",
    "totals",
)


def products_of(store: Store) -> dict[str, bytes]:
    """Bytes of everything that users read, without what tells seconds."""
    files = (path for kind in KINDS for path in (store.root / kind).rglob("*") if path.is_file() and path.suffix != ".lock")
    return {store.relative(path): path.read_bytes() for path in sorted(files)}
