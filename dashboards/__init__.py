"""The review dashboard. Reads bundles through ``audit``, draws with ``reports``; computes nothing."""
