"""A browser of the system, and pages opened from disk."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")


@dataclass
class Opened:
    """A page, and what happened while it was open."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def ask(self, script: str, argument: Any = None) -> Any:
        """What a script in the page answers; `app` is the page's own object."""
        return self.page.evaluate(f"(argument) => {{ const app = window.cryoatlas; {script} }}", argument)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    named = os.environ.get("CRYOATLAS_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if named is None:
        pytest.skip("no Chromium here: set CRYOATLAS_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=named, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def opened(browser: Browser) -> Callable[..., AbstractContextManager[Opened]]:
    """Opens a file as a person would, and waits until it has drawn itself."""

    @contextmanager
    def look(path: Path, *, width: int = 1280, height: int = 900, scheme: str = "light") -> Iterator[Opened]:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        seen = Opened(context.new_page())
        seen.page.on("console", lambda message: seen.complaints.append(message.text) if message.type in {"error", "warning"} else None)
        seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        seen.page.on("request", lambda request: seen.requests.append(request.url))
        seen.page.goto(path.as_uri())
        seen.page.wait_for_selector("html[data-ready=true]", timeout=60_000)
        yield seen
        context.close()

    return look
