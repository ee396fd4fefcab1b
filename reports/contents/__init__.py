"""What a report says, section by section, as plain data: each function makes one part of ``report.json``."""
