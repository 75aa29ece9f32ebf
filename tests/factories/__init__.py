"""Things tests start from, made by the programme's own verbs."""
