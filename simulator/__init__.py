"""Seeded worlds that are hard in the ways real ones are; shares no code with what it tests.

`simulator.make.make_world` writes a folder: `region.geojson`, `catalog/` (static STAC, COGs), `truth/lakes` and `truth/slumps`
(one GeoParquet per year, and `events.parquet`), `truth/confusers` (rivers, bars, snow patches, road cuts, drained basins).
"""
