"""The server beside its ceiling: `python -m bench`, or `make bench`."""
