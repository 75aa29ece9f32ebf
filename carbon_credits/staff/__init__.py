"""Staff: who works for the programme, and in which roles."""
