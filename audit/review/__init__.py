"""What people say of an audit: labels, decisions, the standing of findings, as data beside the records.

One way through: ``events`` (one line) → ``log`` (the file) → ``views`` → ``summary``; ``queue`` says what to
look at, ``targets`` finds it in the records, ``check`` holds all of it against plan and records.
"""
