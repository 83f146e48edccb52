"""A project and one of its targets, ready to be worked on: settings, provider, manifests, driver, local state."""
