"""Physical: from stored counts to what the ground looks like."""
