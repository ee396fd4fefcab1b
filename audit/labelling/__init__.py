"""People label a sample of what a model wrote; what they find corrects what the scorers found.

One way through: ``outputs`` (all that was scored, in strata) → ``sample`` (which of it is labelled) →
``sheet`` (out, to be filled in) → ``filled`` (back in, as labels in ``reviews.jsonl``) → ``labels`` (what
people settled on) → ``accuracy`` (how often the scorers are right) and ``contrasts`` (the differences that
people see) → ``analysis`` (all of it), ``wording``.
"""
