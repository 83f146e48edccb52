"""A plan as every renderer shows it: masked, escaped, summarised."""
