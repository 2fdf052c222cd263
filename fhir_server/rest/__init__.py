"""HTTP: requests to commands, results to responses, and what stands around them."""
