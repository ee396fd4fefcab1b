"""Selection rates of people and their impact ratios, from a table that a user gives.

``table`` reads and checks the file, ``rates`` computes, ``wording`` says what the figures are not. Nothing
here comes from a model's answers, and nothing here decides what the law makes of a figure.
"""
