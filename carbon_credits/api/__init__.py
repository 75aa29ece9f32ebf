"""The JSON door: strict in what it takes, plain in what it answers, the same words for every no."""
