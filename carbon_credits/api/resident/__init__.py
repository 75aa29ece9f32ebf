"""What a resident's phone calls: sign-in, profile and consents, acts, wallet."""
