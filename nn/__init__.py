"""What networks are made of and how one learns: layers, losses against a discriminator, the optimizer, the update."""
