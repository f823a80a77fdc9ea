"""How good: predictions and truth to numbers."""
