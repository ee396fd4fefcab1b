"""Before anything is asked: what a plan costs, what it can detect, and what a claim would take."""
