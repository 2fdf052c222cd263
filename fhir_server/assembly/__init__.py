"""Larger parts of the composition root, each a function from settings to something built."""
