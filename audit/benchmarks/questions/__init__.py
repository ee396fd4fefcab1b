"""Measures of answers to questions, and of decisions about people."""
