"""What exists: immutable knowledge that imports nothing of ours but itself."""
