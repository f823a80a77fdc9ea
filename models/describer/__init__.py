"""Lakes described in words that a mask vouches for (GLACIA)."""
