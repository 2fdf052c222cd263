"""Sign-in through others: identity providers that vouch for people."""
