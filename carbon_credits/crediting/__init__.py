"""From claimed acts to grams and points: one batch, one path, for every act whoever told of it."""
