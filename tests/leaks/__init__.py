"""A run in which everything goes wrong, and a search for secrets in everything that it wrote."""
