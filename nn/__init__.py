"""What networks are made of: layers, losses against a discriminator, the optimizer."""
