"""Benchmarks: ``make bench``. Not tests: they measure, and fail for nothing but an error."""
