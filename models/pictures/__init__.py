"""Pictures for people: one map per region-year, one plot per region; bytes in, bytes out, the same bytes every time."""
