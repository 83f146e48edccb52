"""Posts plans where reviewers read them: comments and issues on GitHub and GitLab."""
