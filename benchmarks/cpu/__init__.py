"""The CPU stack against its own engines called directly, and its memory against the length of a document."""
