"""Seeded worlds that are hard in the ways real ones are; shares no code with what it tests."""
