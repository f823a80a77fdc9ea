"""What people read of a release: how to cite it, what is in it, what is missing."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import yaml

from catalog.facts.publication import ReleaseFacts
from catalog.facts.records import Target
from catalog.facts.releases import collection_id

DEFAULT_AUTHORS: Final = ("cryoatlas",)
_WHAT: Final = {"lakes": "glacial lakes", "slumps": "retrogressive thaw slumps"}
_GAPS_SHOWN: Final = 40


def citation_of(authors: Sequence[str], title: str, release: str, day: date, doi: str) -> str:
    """Return the sentence in which a release is cited."""
    address = f" https://doi.org/{doi}" if doi else ""
    return f"{'; '.join(authors)} ({day.year}): {title}, release {release}. Data set.{address}"


def title_of(target: Target, region_title: str, years: Sequence[int]) -> str:
    """Return the title of a release, for example `Annual inventory of glacial lakes: Ile Alatau, 2018-2023`."""
    span = str(years[0]) if len(years) == 1 else f"{years[0]}-{years[-1]}"
    return f"Annual inventory of {_WHAT[target]}: {region_title}, {span}"


def citation_file(release: ReleaseFacts) -> str:
    """Return CITATION.cff (version 1.2.0) of a release."""
    content: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "Please cite this data set as below, and the sources that ATTRIBUTION.txt names.",
        "type": "dataset",
        "title": title_of(release.target, release.title, [year.year for year in release.years]),
        "authors": [{"name": author} for author in release.authors],
        "version": release.release,
        "date-released": release.day.isoformat(),
        "license": release.licence,
    }
    if release.doi:
        content["doi"] = release.doi
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120))


def bibtex(release: ReleaseFacts) -> str:
    """Return the citation as a BibTeX entry."""
    fields = {
        "author": " and ".join(f"{{{author}}}" for author in release.authors),
        "title": f"{{{title_of(release.target, release.title, [year.year for year in release.years])}}}",
        "year": str(release.day.year),
        "version": release.release,
        **({"doi": release.doi} if release.doi else {}),
    }
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return f"@dataset{{{collection_id(release.target, release.region)}-{release.release},\n{lines}\n}}\n"


def readme(release: ReleaseFacts) -> str:
    """Return README.md of a release: what is in it, what is missing, how to read and cite it."""
    years = [year.year for year in release.years]
    table = release.target
    parts = [
        f"# {title_of(release.target, release.title, years)}\n\nRelease {release.release} of {release.day.isoformat()}, made with "
        f"cryoatlas {release.version}." + (f" Why it takes the place of an earlier one: {release.reason}" if release.reason else ""),
        _holes(release),
        "| year | features | km2 | smaller ones | observed | scenes | item |\n|---|---|---|---|---|---|---|\n"
        + "\n".join(
            f"| {y.year} | {y.features} | {y.area_m2 / 1e6:.3f} | {y.rows - y.features} | {y.observed_share:.0%} | "
            f"{sum(s.sensor != 'dem' for s in y.scenes)} | {y.id}{', supersedes ' + y.supersedes if y.supersedes else ''} |"
            for y in release.years
        )
        + "\n\nSmaller ones carry the flag `below_minimum_area` and are not in features and km2.",
        "```sql\n"
        f"SELECT year, count(*), sum(area_m2) / 1e6 AS km2 FROM read_parquet('*/{table}.parquet', hive_partitioning = true)\n"
        "WHERE NOT list_contains(flags, 'below_minimum_area') GROUP BY year ORDER BY year;\n```",
        "`columns.md` says what every column means, and when it is null. Intervals are 95 % (slump counts: 90 %).",
        f"Cite as: {release.citation}\n\nLicence: {release.licence} (`LICENCE.txt`). Sources and their terms: `ATTRIBUTION.txt`.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _holes(release: ReleaseFacts) -> str:
    gaps = [gap for year in release.years for gap in year.gaps]
    if not gaps:
        return "Complete: every tile of every year was worked on to the end."
    lines = [f"- {gap.year} {gap.tile}, {gap.stage} {gap.cause}: {gap.message} ({gap.km2:.1f} km2)" for gap in gaps[:_GAPS_SHOWN]]
    more = [f"- and {len(gaps) - _GAPS_SHOWN} more, in `cryoatlas:holes` of the items"] if len(gaps) > _GAPS_SHOWN else []
    return "\n".join(["**Not complete.** The producer published in spite of these holes:", "", *lines, *more])
