"""Order: what follows what, over which tiles and years. One file is one deployment."""
