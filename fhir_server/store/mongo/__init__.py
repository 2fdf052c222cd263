"""The store port over MongoDB, by PyMongo's asynchronous client."""
