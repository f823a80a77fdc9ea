"""Geometric: probability to features, and features through the years."""
