"""Evenhand's instrument: asks models, keeps every answer, estimates disparities, states verdicts."""
