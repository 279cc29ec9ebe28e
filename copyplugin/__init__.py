"""Copy trading for perpetual exchanges: followers' positions steered after their leaders'."""
