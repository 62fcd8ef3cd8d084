"""From raw photos to aligned faces, split into people to train on and people to test on."""
