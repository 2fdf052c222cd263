"""The authorization server's endpoints over HTTP; what they mean is decided in `smart`."""
