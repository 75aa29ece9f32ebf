"""What partners say later: corrections and voids are held against the acts they are about."""
