"""What commands share: options, inputs, messages, signals, and many items in several processes or on a cluster."""
