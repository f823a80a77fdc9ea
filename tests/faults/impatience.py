"""Tests wait for nothing: the same retries, without the seconds between them; and signatures from a server of the test."""

from collections.abc import Callable
from typing import Any

from planetary_computer.sas import TOKEN_CACHE, get_token
from planetary_computer.settings import Settings

from catalog.stores import elevation, pixels, raster_files, signing, static_catalog
from catalog.stores.raster_files import Retry

Set = Callable[[Any, str, Any], None]
QUICK = Retry(wait_s=0.01)
ACCOUNT, CONTAINER = "sentinel2l2a01", "world"


def wait_for_nothing(set_: Set) -> None:
    """Retry as often as users do, but at once; `set_` is `setattr` or a test's `monkeypatch.setattr`."""
    for function in (pixels.read_grid, elevation.read_dem, raster_files.use_file):
        set_(function, "__kwdefaults__", {**(function.__kwdefaults__ or {}), "retry": QUICK})
    set_(static_catalog, "_WAITS_S", (0.01,) * len(static_catalog._WAITS_S))


def sign_for(server: str, set_: Set) -> None:
    """Let the files of a server on loopback need signatures as those of Planetary Computer do.

    Its library signs nothing outside Azure, so only here the address and the token are put together; the token, its cache and when it is
    dropped are real. PC_SDK_SAS_URL must name the server's `/token`.
    """

    def account(href: str) -> str | None:
        return ACCOUNT if href.startswith(server) else None

    set_(signing, "_account", account)
    set_(signing, "_container", lambda _href: (ACCOUNT, CONTAINER))
    set_(signing, "_sign_blob", lambda href: f"{href}?{get_token(ACCOUNT, CONTAINER).token}")


def clear_settings() -> None:
    """Let the library of the tokens read its environment again, and forget what it was given before."""
    Settings.get.cache_clear()
    TOKEN_CACHE.clear()
