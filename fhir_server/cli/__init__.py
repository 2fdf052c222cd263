"""The command `fhir-server`: serve, seed, index, export, import."""
