"""Reference models: tiny models whose bias is known because it was planted.

``python -m audit.models.reference build`` trains all four again: a BERT and a GPT, each in a *fair* edition
(no group is associated with anything) and a *skewed* one (two associations of stated size). They are the
instrument's own known answers, not models of language: they know the sentences of the project's grammar.
"""
