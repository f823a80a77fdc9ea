"""Publishing in tests: what the flow does, without Prefect, on a made store."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

from catalog.facts.publication import Order
from catalog.facts.releases import PublishOptions, PublishReport
from catalog.stores.store import Store
from tasks.check_release import check_release
from tasks.index_releases import index_releases
from tasks.publish_models import publish_models
from tasks.write_release import write_release
from tests.made_store import REGION, YEARS, job_of, map_year, track

COLLECTION: Final = f"cryoatlas-lakes-{REGION}"
DAY: Final = date(2026, 3, 1)


def publish(store: Store, dest: Path, *, years: tuple[int, ...] = YEARS, reached=None, **options) -> PublishReport:
    """What the flow does, without Prefect."""
    chosen = PublishOptions(**{"date": DAY} | options)
    finished = index_releases.fn(str(dest))
    gaps = check_release.fn(REGION, years, str(store.root), allow_partial=chosen.allow_partial)
    models = publish_models.fn(REGION, years, str(store.root), str(dest), "")
    order = Order(REGION, years, str(store.root), str(dest), chosen, gaps, models)
    report = write_release.fn(order, reached) if reached else write_release.fn(order)
    index_releases.fn(str(dest), reached) if reached else index_releases.fn(str(dest))
    return replace(report, finished=finished)


def shrink(columns):
    columns["area_m2"][1] -= 500.0


def remap(store: Store, year: int, **how) -> None:
    map_year(job_of(store, year), **how)
    track(store)


def item_of(dest: Path, year: int, release: str) -> dict:
    return json.loads((dest / COLLECTION / "releases" / release / f"year={year}" / f"{REGION}-{year}-{release}.json").read_text())


def bytes_of(dest: Path) -> dict[str, bytes]:
    return {path.relative_to(dest).as_posix(): path.read_bytes() for path in sorted(dest.rglob("*")) if path.is_file()}
