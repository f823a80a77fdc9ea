"""What a publication says: STAC documents, citations, and the checks before anything is said. No I/O."""
