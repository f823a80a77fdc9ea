"""Tables of a region to one page that works from disk."""
