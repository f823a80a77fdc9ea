"""The `cryoatlas` command: what users type, and what they read on the terminal."""
