"""One file a format: each turns the report's data into text, and none computes or rounds on its own."""
