"""The document pipeline that runs inside Triton; importable and testable without it."""
