"""Where reviewers read plans: comments and issues on GitHub and GitLab."""
