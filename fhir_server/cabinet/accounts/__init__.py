"""Accounts: who may sign in, how surely, and what a new one takes."""
