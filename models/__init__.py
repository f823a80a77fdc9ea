"""Computation: pure functions from typed arrays to typed arrays, no input or output."""
