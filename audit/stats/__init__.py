"""Statistics: from tables of scores to differences with honest uncertainty. Knows nothing of models.

A difference and its error
    ``estimate``      what an estimator hands back: a `Contrast`, or `Undefined` with a reason
    ``contrast``      two groups, by design
    ``sandwich``      the same when cells are missing
    ``unpaired``      two groups that share no template
    ``combination``   several groups: interactions, a group against the average of all
    ``group_means``   groups that nothing pairs, each against the others, by whole clusters
    ``clustered``     an index over pairs that share their sources, and sign flips of whole clusters
    ``regression``    the slope on a property of the terms
    ``signflip``      exact test over clusters
    ``resampling``    the same, and of labels, for many comparisons at once (``signs``: drawn signs)
    ``bootstrap``     intervals from resampled clusters (many at once: ``bootstrap_means``)
    ``pigeonhole``    standard errors from resampled templates and terms (smooth statistics:
                      ``two_way_jackknife``)

Many questions
    ``multiplicity``  Holm; Benjamini and Hochberg
    ``max_t``         step-down max-T by the joint distribution (of two-way contrasts: ``wild``)

Small enough, and large enough a sample
    ``equivalence``   "within the margin", and the power to say so
    ``planning``      how many templates and terms a claim needs (``cheapest``; ``design``: errors to expect)

How far to trust it
    ``robustness``          whether a difference hangs on single templates
    ``specification``       the same question by other reasonable analyses
    ``variance_components``, ``generalizability``, ``split_half``  whether an order of groups would stand
    ``shrinkage``           many groups, drawn towards their mean, with the ranks that are sure

Sizes
    ``intervals``           proportions and effect sizes (``standardised``, ``dominance``)
    ``ratios``              of rates and of odds; the impact ratio
    ``paired_proportions``  two proportions of the same pairs
    ``distances``           between distributions, less what chance makes of them (of answers: ``divergence``)
    ``auc``                 how well scores tell two classes apart, by clusters
    ``extremes``            the worst of k answers

Looking after every answer
    ``betting``              evidence that may be looked at after every unit
    ``confidence_sequence``  bounds that hold at all times, and for any distribution
    ``sequential``           when to stop asking

Scorers that err
    ``scorer_error``        rates corrected by the scorer's own errors (``scorer_accuracy``)
    ``prediction_powered``  few labels and many scores together
    ``double_sampling``     the same text by text, from labels of a stratified sample

People and scorers
    ``agreement``           kappa of two raters; how often a scorer finds what people name
                            (``partial_verification``: from labels that were not drawn evenly)
"""
