"""Stand-ins for the two devices of a real deployment: a VLM server and a layout detector with known speeds."""
