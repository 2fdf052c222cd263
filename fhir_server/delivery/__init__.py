"""The outbox at work: due occasions become messages, messages go out by their channels."""
