"""Methods on holes: how an evaluation is measured, summed up and compared, and how it lies on disk."""
