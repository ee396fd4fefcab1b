"""Documents made from a finished audit. Reads bundles through ``audit``; knows nothing of streamlit."""
