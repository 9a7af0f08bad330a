"""What a report says of settings that took several values: which is best, over labels, classes, tau or epochs."""
