"""Statistics: from tables of scores to differences with honest uncertainty. Knows nothing of models.

``contrast``      differences between two groups, by design
``estimate``      what an estimator hands back: a `Contrast`, or `Undefined` with a reason
``sandwich``      the same when cells are missing
``signflip``      exact test over clusters
``multiplicity``  adjusting for the number of questions
``equivalence``   "within the margin", and the power to say so
``planning``      how many templates and terms a claim needs
``robustness``    whether a difference hangs on single templates
``intervals``     proportions and effect sizes
"""
