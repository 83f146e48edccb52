"""Comments on pull requests and drift issues: whose CI job this is, and the text that is posted."""
