"""Use cases: one file each, joining router, store and bus."""
