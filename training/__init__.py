"""What a training loop is made of: saves that survive, a log of the run."""
