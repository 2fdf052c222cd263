"""Whether a resource obeys the standard, and where it does not."""
