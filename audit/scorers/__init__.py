"""Scorers: text to number, each with its source."""
