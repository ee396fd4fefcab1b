"""What is asked: suites, lexicons, their schemas, the loader and the template expander."""
