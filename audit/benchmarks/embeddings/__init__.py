"""Embedding geometry, not behaviour: association tests on vectors."""
