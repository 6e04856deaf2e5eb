"""Repairs and deadlines: small jobs that any node may run, at any time, twice."""
