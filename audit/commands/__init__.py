"""The commands of ``evenhand`` and what they print; ``audit.cli`` puts them together."""
