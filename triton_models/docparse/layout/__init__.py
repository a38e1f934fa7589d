"""Finding the regions of a page: one interface, and an engine behind it that is chosen by a setting."""
