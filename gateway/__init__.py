"""The HTTP tier: admits, validates and times documents, and streams them through Triton."""
