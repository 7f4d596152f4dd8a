"""What the monitor knows of windows: which are due, what it said of each, and what that means for
the alarms. Pure, apart from the store that is listed."""
