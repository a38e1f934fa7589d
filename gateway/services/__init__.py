"""What the gateway does, without HTTP: admission, documents, parsing, readiness."""
