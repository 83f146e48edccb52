"""Documents to manifests: tags, layers, tables, members, uploads."""
