"""The values that everything else is made of, what they mean, and marks."""
