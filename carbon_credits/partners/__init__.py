"""Partners: what they send, how they sign in, which files came, which records could not become acts."""
