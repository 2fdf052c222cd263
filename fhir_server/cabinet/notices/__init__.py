"""What patients are told of their visits: of what, whom, how, and the links to answer by."""
