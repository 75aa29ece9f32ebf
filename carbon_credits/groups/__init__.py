"""Groups of residents: households, estates, schools, firms; who belongs when, what they do together, creation drives."""
