"""What a resource is found by: the writers of index values, one module a value type."""
