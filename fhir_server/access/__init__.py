"""Who may see and change what, as a predicate over index values."""
