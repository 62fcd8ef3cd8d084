"""Many items in several processes, of this machine or a cluster, none of which can end the whole by dying."""
