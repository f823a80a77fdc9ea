"""What happens in a run, told to whoever listens: the terminal, the record of the run, its log."""

import logging
from typing import Final

from catalog.facts.run_events import RunEvent, UnitEnded

PROGRESS: Final = logging.getLogger("cryoatlas.progress")
"""Every ended unit is one log record here, with `event` and with `stage`, `job`, `done`, `total`."""
COURSE: Final = logging.getLogger("cryoatlas.course")
"""All other events, with `event`: what is planned, which stage begins and ends."""


def tell(event: RunEvent) -> None:
    """Tell an event to all listeners of this process."""
    if isinstance(event, UnitEnded):
        extra = {"event": event, "stage": event.stage, "job": f"{event.region} {event.year}", "done": event.done, "total": event.total}
        words = (event.region, event.year, event.stage, event.tile, event.state, event.message)
        PROGRESS.info("%s %s %s %s: %s %s", *words, extra=extra)
    else:
        COURSE.info("%s", event, extra={"event": event})
