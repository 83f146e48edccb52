"""A plan as it is shown: masked, escaped, summarised. Every renderer starts from here."""
