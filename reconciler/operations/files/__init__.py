"""What is done with files alone, offline: check, format, convert."""
