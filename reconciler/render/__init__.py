"""Shows plans, outcomes and diagnostics: one view, one renderer for each format."""
