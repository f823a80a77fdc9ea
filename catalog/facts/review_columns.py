"""What the columns of what users give and decide mean: glacier outlines, and what became of edits."""

from typing import Final

from catalog.facts.columns import Written

GLACIER_COLUMNS: Final[Written] = {
    "glacier_id": ("", "name of the glacier in the user's file", "where the file names none"),
    "date": ("", "date of the outline as the file has it", "where the file has none"),
    "year": ("", "year of that date", "where the file has none"),
    "source": ("", "name of the file"),
}
EDIT_STATUS_COLUMNS: Final[Written] = {
    "edit": ("", "number of the edit in edits/"),
    "action": ("", "accept, reject, redraw, draw or note"),
    "feature_id": ("", "feature that the edit means; empty for what was drawn"),
    "state": ("", "applied, conflict (needs a person) or not_applicable"),
    "message": ("", "why, in a sentence"),
    "seen_area_m2": ("m2", "area that the person saw", "where it was not noted"),
    "area_m2": ("m2", "area that the edit found, before the edit", "where it found none"),
}
