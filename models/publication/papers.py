"""The texts that go with a release, and its manifest."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import pyarrow as pa

from catalog.facts.dictionary import ARRAYS, TABLES
from catalog.facts.licences import licence_text
from catalog.facts.publication import JSON, MARKDOWN, TEXT, ReleaseFacts
from catalog.facts.releases import PUBLICATION_VERSION, RELEASES
from models.publication.dictionary_words import dictionary_json, dictionary_page
from models.publication.items import year_path
from models.publication.words import bibtex, citation_file, readme

Paper = tuple[str, str, str, str, tuple[str, ...], str]
"""Key of the asset, file name, media type, title, roles, text."""


def papers_of(release: ReleaseFacts) -> tuple[Paper, ...]:
    """Return every text of a release; its columns are those of the tables that the release holds."""
    held = {file.key.partition("-")[0] for file in (*release.files, *(file for year in release.years for file in year.files))}
    tables = [table for name, table in TABLES.items() if name in held]
    arrays = ARRAYS if any(file.raster for year in release.years for file in year.files) else {}
    return (
        ("readme", "README.md", MARKDOWN, "What is in this release, and what is missing", ("overview",), readme(release)),
        ("columns", "columns.json", JSON, "Data dictionary", ("metadata",), dictionary_json(tables, arrays)),
        ("columns-page", "columns.md", MARKDOWN, "Data dictionary, to read", ("metadata",), dictionary_page(tables, arrays)),
        ("citation", "CITATION.cff", "application/yaml", "How to cite", ("metadata",), citation_file(release)),
        ("citation-bibtex", "citation.bib", "application/x-bibtex", "How to cite, BibTeX", ("metadata",), bibtex(release)),
        ("licence", "LICENCE.txt", TEXT, "Licence", ("license",), licence_text(release.licence, "; ".join(release.authors))),
        ("attribution", "ATTRIBUTION.txt", TEXT, "Sources and their terms", ("license",), "\n\n".join(release.attribution) + "\n"),
    )


def manifest_of(release: ReleaseFacts) -> dict[str, Any]:
    """Return what later calls need to know of a release: its years, what it took the place of, and the checksum of every file."""
    files = (*release.files, *(file for year in release.years for file in year.files))
    return {
        "publication_version": PUBLICATION_VERSION,
        "release": release.release,
        "sequence": release.sequence,
        "date": release.day.isoformat(),
        "reason": release.reason,
        "target": release.target,
        "region": release.region,
        "title": release.title,
        "bbox": list(release.bbox),
        "licence": release.licence,
        "doi": release.doi,
        "authors": list(release.authors),
        "cryoatlas_version": release.version,
        "complete": not any(year.gaps for year in release.years),
        "years": {
            str(year.year): {
                "id": year.id,
                "path": f"{year_path(release.release, year.year)}/{year.id}.json",
                "payload": year.payload,
                "content": year.content,
                "rasters": year.rasters,
                "supersedes": year.supersedes,
                "features": year.features,
                "area_m2": year.area_m2,
                "holes": [asdict(gap) for gap in year.gaps],
            }
            for year in release.years
        },
        "files": {file.path: file.checksum for file in sorted(files, key=lambda file: file.path)},
        "rows": {file.path: file.rows for file in sorted(files, key=lambda file: file.path) if file.rows is not None},
    }


def releases_table(manifests: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return the table of releases, columns of `RELEASES`, from their manifests in order."""
    rows = [
        {
            **{name: manifest[name] for name in ("release", "sequence", "target", "region", "reason", "complete", "licence")},
            "date": date.fromisoformat(manifest["date"]),
            "years": [int(year) for year in manifest["years"]],
            "supersedes": [entry["supersedes"] for entry in manifest["years"].values() if entry["supersedes"]],
            "doi": manifest["doi"] or None,
            "cryoatlas_version": manifest["cryoatlas_version"],
        }
        for manifest in manifests
    ]
    return pa.Table.from_pylist(rows, schema=RELEASES)


def as_json(document: object) -> bytes:
    """Return a document as it is written everywhere in a publication."""
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()
