"""What happens by itself: feed, signals, targets, orders, protection, ending, settlement."""
