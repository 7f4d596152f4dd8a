"""Pages for people: one file of HTML each, no script, no network."""
