"""Surface to probability, one window at a time."""
