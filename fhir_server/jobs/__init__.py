"""Background jobs: leased from the database, taken up again by another worker after a crash."""
