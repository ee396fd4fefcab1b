"""Measures that read the probability of given words and sentences."""
