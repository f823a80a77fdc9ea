"""What changed between the years, how sure that is, and what else than the ground may have made it."""
