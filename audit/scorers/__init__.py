"""Scorers: text to number, each with its source, and each audited before it is believed.

::

    a name, a path, an object ─ wishes, recipes, registry ─▶ planned ─ judge ─▶ a TextScore a text and scorer
    a scorer ─ own_audit ─▶ what it makes of groups ─ bundle_audit ─▶ scorers.json

==========================================  ==============================================================
what a scorer is
==========================================  ==============================================================
``base``                                    protocol, card, score; what all scorers do alike
``constructs``                              how the numbers of each construct run
``labels``                                  a classifier's kept labels to a number
``classes``                                 a number to what a text is called, by the card
``masking``                                 words that name groups, replaced
==========================================  ==============================================================

==========================================  ==============================================================
the scorers
==========================================  ==============================================================
``registry``                                all that come with the instrument, and which two judge a construct
``rules``                                   a function as a scorer
``sentiment``                               VADER, TextBlob
``refusal``, ``refusal_grammar``            two detectors of refusals; ``refusal_errors``: how often they err
``words``                                   lists of words: profanities, HurtLex
``offensive``                               a linear model: ``linear`` computes it, ``linear_files`` and
                                            ``pickles`` read its weights without running any of them
``fetched``                                 files of scorers that are not shipped
``recipes``                                 a name to a scorer; classifiers of the hub (``recipes.yaml``)
``classifier``, ``callables``               any network; any Python function
``planted``                                 a scorer with known faults: the public double
==========================================  ==============================================================

==========================================  ==============================================================
how they are used
==========================================  ==============================================================
``wishes``, ``planned``                     what an auditor asks for; what a plan holds
``wish_checks``                             what is wrong with a wish
``as_model``, ``judge``                     a scorer that is asked, its answers kept; what is read from them
``scoring``, ``store``                      texts that anybody brings; scores that were computed before
``agreement``                               how far two scorers say the same
==========================================  ==============================================================

==========================================  ==============================================================
how they are audited themselves
==========================================  ==============================================================
``own_audit``                               all of it, put together from:
``scored_frames``, ``figures``              our sentences, scored; shares and means with intervals
``group_gaps``, ``accuracy``                gaps between groups; sensitivity and specificity by group
``dialect``, ``robustness``                 one content in two dialects; spelling, length, denial
``published``                               labelled sentences that others published
``identity``, ``audit_cache``               which scorer, code and sentences; kept until one changes
``watched``                                 how far it is, while it is made
``bundle_audit``, ``wording``               kept in a bundle; in words
==========================================  ==============================================================

What the own audits leave of a finding is computed in ``audit.own_errors``; what people's labels leave of it
in ``audit.labelling``.
"""
