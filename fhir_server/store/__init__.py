"""Where resources are kept: the port and its MongoDB adapter."""
