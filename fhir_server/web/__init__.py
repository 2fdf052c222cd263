"""The pages for people: sign-in, consent, granted apps."""
