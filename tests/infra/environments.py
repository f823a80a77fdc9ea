"""Names of environment variables that a recipe may set, because something reads them."""

import re
from functools import cache

from tests.infra.started import ROOT

_SOURCES = ("infra", "catalog", "commands")
_LIBRARIES = {"OMP_NUM_THREADS", "GDAL_NUM_THREADS", "GDAL_CACHEMAX", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "DO_NOT_TRACK"}


@cache
def _ours() -> frozenset[str]:
    sources = "\n".join(path.read_text() for folder in _SOURCES for path in (ROOT / folder).rglob("*.py"))
    return frozenset(re.findall(r"\b(?:CRYOATLAS|AWS|DASK)_[A-Z_]+\b", sources))


@cache
def _prefects() -> frozenset[str]:
    from prefect.settings import Settings  # noqa: PLC0415 - takes seconds
    from prefect.settings.legacy import _get_valid_setting_names  # noqa: PLC0415

    return frozenset(_get_valid_setting_names(Settings))


def is_read(name: str) -> bool:
    """Whether our sources, Prefect or a library read a variable of this name."""
    return name in _LIBRARIES or name in (_prefects() if name.startswith("PREFECT_") else _ours())
