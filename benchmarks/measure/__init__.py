"""Load, and what is read off while it runs."""
