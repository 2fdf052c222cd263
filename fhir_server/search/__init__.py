"""What a search means: index values of a resource, and requests compiled to plans."""
