"""Search: which parameters there are, how resources are indexed by them, how questions are answered."""
