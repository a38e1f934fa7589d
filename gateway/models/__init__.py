"""What crosses a boundary: the public wire models and the inner frozen dataclasses."""
