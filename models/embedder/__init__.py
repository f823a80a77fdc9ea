"""One vector for an image, words, a box and a place (VLM2GeoVec's system)."""
