"""Statistics: from tables of scores to differences with honest uncertainty. Knows nothing of models.

``contrast``      differences between two groups, by design
``estimate``      what an estimator hands back: a `Contrast`, or `Undefined` with a reason
``sandwich``      the same when cells are missing
``combination``   interactions, and a group against the average of all
``signflip``      exact test over clusters
``resampling``    the same, and of labels, for many comparisons at once
``bootstrap``     intervals from resampled clusters (many at once: ``bootstrap_means``)
``pigeonhole``    standard errors from resampled templates and terms
``max_t``         adjusting for the number of questions by their joint distribution
``wild``          the joint distribution of two-way contrasts
``multiplicity``  adjusting for the number of questions
``equivalence``   "within the margin", and the power to say so
``design``        the standard error to expect of a design
``planning``      how many templates and terms a claim needs
``cheapest``      the design with the fewest cells
``robustness``    whether a difference hangs on single templates
``intervals``     proportions and effect sizes
``standardised``  mean differences in units of a standard deviation
``dominance``     Cliff's delta
``ratios``        of rates and of odds; the impact ratio
``paired_proportions``  two proportions of the same pairs
``distances``     between distributions, less what chance makes of them
``extremes``      the worst of k answers
``betting``       evidence that may be looked at after every unit
``confidence_sequence``  bounds that hold at all times, and for any distribution
``sequential``    when to stop asking
"""
