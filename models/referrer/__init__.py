"""Masks for plain words: this lake, not that one (GeoPix's system)."""
