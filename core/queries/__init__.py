"""Reads. Gathers what rules and documents need in a fixed number of queries; never writes."""
