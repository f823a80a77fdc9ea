"""Two inventories to what differs between them, feature by feature, each with its cause."""

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.differences import DiffReport
from catalog.facts.errors import WrongCall
from catalog.facts.options import TRACKING
from catalog.stores.differences import Compared, open_compared, write_differences
from catalog.stores.objects import local_path
from models.review.causes import Explainer, retiled, tiles_under
from models.review.pairs import Side, pairs_of
from models.review.totals import largest, rows_of, totals_of


@task(cache_policy=NO_CACHE, task_run_name="diff-{region}")
def diff_stores(stores: tuple[str, str], region: str, years: tuple[int, int], out: str | None) -> DiffReport:
    """Compare a region-year of store A with one of store B; write every row to `out` when it is given."""
    return compared(stores, region, years, out)


def compared(stores: tuple[str, str], region: str, years: tuple[int, int], out: str | None) -> DiffReport:
    """Do the same without Prefect. Raises WrongCall when the stores map other targets."""
    a, b = (open_compared(store, region, year, label) for store, year, label in zip(stores, years, "AB", strict=True))
    if a.target != b.target:
        raise WrongCall(f"Region {region!r}: store A holds {a.target}, store B {b.target}. Compare regions of one target.")
    left, right = _side(a), _side(b)
    pairs = pairs_of(left, right, min_overlap=TRACKING[a.target].min_overlap)
    under = [tiles_under(s.outlines, c.features.utm_epsg.tolist(), c.road.chips) for s, c in ((left, a), (right, b))]
    explainer, because, tiles = Explainer(a.road, b.road), [], []
    for pair in pairs:
        of_a, of_b = (under[0][pair.left] if pair.left >= 0 else ()), (under[1][pair.right] if pair.right >= 0 else ())
        all_a = tuple(dict.fromkeys((*of_a, *retiled(of_b, b.road.chips, a.road.chips))))
        all_b = tuple(dict.fromkeys((*of_b, *retiled(of_a, a.road.chips, b.road.chips))))
        because.append(explainer.explain(pair, left, right, (all_a, all_b)))
        tiles.append(all_b)
    columns, totals = rows_of(pairs, because, left, right, tiles), totals_of(pairs, because, left, right)
    if out is not None:
        outlines = [right.outlines[pair.right] if pair.right >= 0 else left.outlines[pair.left] for pair in pairs]
        about = {"region": region, "year": years[1], "store_a": stores[0], "store_b": stores[1], "year_a": years[0]}
        write_differences(local_path(out), np.array(outlines, dtype=object), columns, about)
    return DiffReport(
        region,
        stores,
        years,
        totals.totals_m2,
        totals.kinds,
        totals.causes,
        totals.details,
        largest(columns),
        totals.residual_m2,
        out or "",
    )


def _side(compared: Compared) -> Side:
    frame = compared.features
    return Side(tuple(frame.feature_id), frame.geometry.to_numpy(), frame.area_m2.to_numpy(np.float64))
