"""Looking at a venue and the accounts there before the first order (V5); nothing is changed."""
