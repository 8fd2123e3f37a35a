"""The reel: which stored bars are played, on which days and under which times."""
