"""Asking until it is decided: which prompts are drawn, when to stop, and what is found then."""
