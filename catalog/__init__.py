"""What exists (facts, pure) and where it is kept (stores, all input and output)."""
