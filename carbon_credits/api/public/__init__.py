"""What anyone may read: the methodologies, the keys, whether we are well."""
