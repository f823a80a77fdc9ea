"""`cryoatlas columns`: what every column of every table means."""

import sys
from typing import Annotated

import typer

from catalog.facts.dictionary import ARRAYS, TABLES, tables_named
from catalog.facts.errors import WrongCall
from commands.console import show_table
from models.publication.dictionary_words import dictionary_json, dictionary_page


def columns(
    table: Annotated[list[str] | None, typer.Argument(help="Tables, for example lakes tracks; otherwise all.")] = None,
    *,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the page docs/columns.md.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Say what every column means: unit, meaning, and when it is null.

    Example: cryoatlas columns lakes
    """
    if markdown and as_json:
        raise WrongCall("--markdown and --json at once: choose one.")
    chosen = tables_named(table or TABLES)
    arrays = {} if table else ARRAYS
    if markdown or as_json:
        sys.stdout.write(dictionary_page(chosen, arrays) if markdown else dictionary_json(chosen, arrays))
        return
    for entry in chosen:
        rows = [(c.name, c.type, c.unit, c.meaning, c.null_when) for c in entry.columns]
        show_table(f"{entry.name}: {entry.about}", ("column", "type", "unit", "meaning", "null"), rows, caption=entry.path)
