"""What the images are made with, and what the compose files can be told."""
