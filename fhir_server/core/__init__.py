"""The standard's values and algorithms, without I/O."""
