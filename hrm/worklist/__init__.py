"""Studies to be read: by whom, in which order, twice if need be, and how readers agree."""
