"""The processing baseline of a Sentinel-2 item, and whether its counts still carry the offset of baseline 04.00."""

import re
from collections.abc import Mapping
from typing import Final

from catalog.facts.bands import BASELINE_OFFSET, OFFSET_SINCE_BASELINE
from catalog.facts.item_fields import Item, number, product_names, properties
from catalog.facts.sources import Dialect, OffsetRule

OFFSET_FLAG: Final = "earthsearch:boa_offset_applied"
_SAID: Final = ("s2:processing_baseline", "sentinel2:processing_baseline", "processing:version", "earthsearch:processing_baseline")
_SPELLED = re.compile(r"_N(\d{2})\.?(\d{2})(?=_|\.|$)")
_DECLARING_BANDS: Final = ("B03", "B08", "B11")


def baseline_of(item: Item) -> str | None:
    """Return the baseline as `NN.NN`, said by the item or spelled in a product name; None when neither tells."""
    said = next((str(properties(item)[key]) for key in _SAID if properties(item).get(key) is not None), "")
    if re.fullmatch(r"\d{1,2}\.\d{1,2}", said):
        major, minor = said.split(".")
        return f"{int(major):02d}.{minor.ljust(2, '0')}"
    for name in product_names(item):
        found = _SPELLED.search(name)
        if found:
            return f"{found[1]}.{found[2]}"
    return None


def offset_of(item: Item, dialect: Dialect, baseline: str | None) -> tuple[int, str]:
    """Return the counts to subtract from every valid count (0 or 1000), and what tells so: `catalog flag` or `metadata`.

    The baseline decides, never the date: Collection 1 was reprocessed with 05.00 back to 2015. The flag is known to be wrong
    for some items of the older Earth Search collection, so readers check it against the pixels.
    """
    flag = properties(item).get(OFFSET_FLAG)
    if flag is True:
        return 0, "catalog flag"
    by_baseline = None if baseline is None else BASELINE_OFFSET * (float(baseline) >= OFFSET_SINCE_BASELINE)
    declared = _declared_offset(item, dialect)
    first, second = (declared, by_baseline) if dialect.offset_rule is OffsetRule.DECLARED else (by_baseline, declared)
    decided = first if first is not None else second
    return int(decided or 0), "metadata" if flag is None else "catalog flag"


def _declared_offset(item: Item, dialect: Dialect) -> int | None:
    """Offset that a band declares, in counts: `raster:bands` (extension 1), or `raster:scale` and `raster:offset` (extension 2)."""
    for band in _DECLARING_BANDS:
        for key in dialect.assets[band]:
            asset = item["assets"].get(key)
            if isinstance(asset, Mapping):
                offset, scale = _scaling(asset)
                if offset is not None:
                    return BASELINE_OFFSET if offset / (scale or dialect.scale) < -BASELINE_OFFSET / 2 else 0
    return None


def _scaling(asset: Mapping[str, object]) -> tuple[float | None, float | None]:
    bands = asset.get("raster:bands")
    if isinstance(bands, list) and bands:
        return number(bands[0].get("offset")), number(bands[0].get("scale"))
    return number(asset.get("raster:offset")), number(asset.get("raster:scale"))
